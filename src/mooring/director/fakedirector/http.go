package fakedirector

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (d *Director) routes() {
	d.mux = http.NewServeMux()
	d.mux.HandleFunc("GET /info", d.info)
	d.mux.HandleFunc("POST /oauth/token", d.token)
	d.mux.HandleFunc("GET /deployments/{deployment}/instances", d.known(d.listInstances))
	d.mux.HandleFunc("PUT /deployments/{deployment}/jobs/{group}", d.known(d.changeGroup))
	d.mux.HandleFunc("POST /deployments/{deployment}/instance_groups/{group}/{id}/actions/{action}", d.known(d.actOnInstance))
	d.mux.HandleFunc("PUT /deployments/{deployment}/instance_groups/{group}/{id}/ignore", d.known(d.putIgnore))
	d.mux.HandleFunc("GET /locks", d.listLocks)
	d.mux.HandleFunc("GET /tasks", d.listTasks)
	d.mux.HandleFunc("GET /tasks/{id}", d.withTask(func(w http.ResponseWriter, _ *http.Request, t *task) { reply(w, t.hash()) }))
	d.mux.HandleFunc("GET /tasks/{id}/output", d.withTask(output))
	d.mux.HandleFunc("DELETE /task/{id}", d.withTask(func(w http.ResponseWriter, _ *http.Request, t *task) {
		if t.state == "queued" || t.state == "processing" {
			t.state = "cancelling"
		}
		w.WriteHeader(http.StatusNoContent)
	}))
}

// ServeHTTP implements http.Handler.
func (d *Director) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	cut, broken := d.cut, d.broken
	if cut {
		d.refused++
	}
	d.mu.Unlock()
	switch {
	case cut:
		panic(http.ErrAbortHandler)
	case broken:
		w.WriteHeader(http.StatusInternalServerError)
		reply(w, map[string]any{"code": 100, "description": "PG::ConnectionBad: no connection to the server"})
	case r.URL.Path != "/info" && r.URL.Path != "/oauth/token" && !d.allowed(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="BOSH Director"`)
		http.Error(w, "Not authorized: '"+r.URL.Path+"'", http.StatusUnauthorized)
	default:
		d.mux.ServeHTTP(w, r)
	}
}

func (d *Director) allowed(r *http.Request) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.forbidden {
		return false
	}
	if d.cfg.UAA {
		return time.Now().Before(d.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")])
	}
	user, password, _ := r.BasicAuth()
	return user == d.cfg.User && password == d.cfg.Password
}

func (d *Director) info(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	login := map[string]any{"type": "basic", "options": map[string]any{}}
	if d.cfg.UAA {
		login = map[string]any{"type": "uaa", "options": map[string]any{"url": d.url}}
	}
	reply(w, map[string]any{"name": "fake", "uuid": "fake", "version": d.cfg.Version + " (00000000)", "cpi": "warden_cpi", "user_authentication": login})
}

func (d *Director) token(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if user != d.cfg.User || password != d.cfg.Password || r.FormValue("grant_type") != "client_credentials" {
		w.WriteHeader(http.StatusUnauthorized)
		reply(w, map[string]string{"error": "invalid_client", "error_description": "Bad credentials"})
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.logins++
	token := fmt.Sprintf("token-%d", d.logins)
	d.tokens[token] = time.Now().Add(d.cfg.TokenLife)
	reply(w, map[string]any{"access_token": token, "token_type": "bearer", "expires_in": int(d.cfg.TokenLife.Seconds())})
}

// known refuses deployments, groups and instances that are not there.
func (d *Director) known(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		deleted := d.deleted
		d.mu.Unlock()
		switch {
		case deleted || r.PathValue("deployment") != d.cfg.Deployment:
			refuse(w, 70000, fmt.Sprintf("Deployment '%s' doesn't exist", r.PathValue("deployment")))
		case r.PathValue("group") != "" && !d.hasGroup(r.PathValue("group")):
			refuse(w, 70001, fmt.Sprintf("Instance group '%s' doesn't exist", r.PathValue("group")))
		case r.PathValue("id") != "" && d.instance(r.PathValue("id")) == nil:
			refuse(w, 70001, fmt.Sprintf("'%s/%s' doesn't exist", r.PathValue("group"), r.PathValue("id")))
		default:
			serve(w, r)
		}
	}
}

func (d *Director) hasGroup(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return name == d.cfg.Group || slices.ContainsFunc(d.instances, func(i *Instance) bool { return d.groupOf(i) == name })
}

func (d *Director) listInstances(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("format") == "full" {
		d.listFull(w, r)
		return
	}
	d.mu.Lock()
	members := slices.Clone(d.instances)
	d.mu.Unlock()
	list := []map[string]any{}
	for _, i := range members {
		list = append(list, map[string]any{"id": i.ID, "job": d.groupOf(i), "index": i.Index, "az": i.AZ, "agent_id": "agent-" + i.ID, "cid": "vm-" + i.ID, "expects_vm": true})
	}
	reply(w, list)
}

func (d *Director) changeGroup(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != "text/yaml" {
		http.Error(w, "", http.StatusNotFound) // the route wants YAML
		return
	}
	query := r.URL.Query()
	canaries, _ := strconv.Atoi(query.Get("canaries"))
	action := query.Get("state")
	if other := map[string]string{"stopped": Stop, "detached": Detach, "started": Start}[action]; other != "" {
		action = other
	}
	user, _, _ := r.BasicAuth()
	most := query.Get("max_in_flight")
	if group := d.Deployed().Group(r.PathValue("group")); group != nil { // what is not asked for, the manifest says
		most = cmp.Or(most, group.Update.MaxInFlight)
		if !query.Has("canaries") {
			canaries = group.Update.CanariesOf(len(group.Instances))
		}
	}
	d.redirect(w, d.Deploy(Update{
		Group: r.PathValue("group"), Action: action, MaxInFlight: most, Canaries: canaries,
		User: user, ContextID: r.Header.Get("X-Bosh-Context-Id"),
	}))
}

func (d *Director) actOnInstance(w http.ResponseWriter, r *http.Request) {
	user, _, _ := r.BasicAuth()
	d.redirect(w, d.actOn(r.PathValue("id"), r.PathValue("action"), user, r.Header.Get("X-Bosh-Context-Id"), r.FormValue("ignore_unresponsive_agent") == "true"))
}

func (d *Director) listLocks(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := []map[string]any{}
	if d.holder != nil {
		list = append(list, map[string]any{"type": "deployment", "resource": []string{d.cfg.Deployment}, "timeout": "1.0", "task_id": strconv.Itoa(d.holder.id)})
	}
	reply(w, list)
}

func (d *Director) listTasks(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	wanted := strings.FieldsFunc(query.Get("state"), func(c rune) bool { return c == ',' })
	d.mu.Lock()
	defer d.mu.Unlock()
	list := []map[string]any{}
	for _, t := range slices.Backward(d.tasks) {
		if len(wanted) > 0 && !slices.Contains(wanted, t.state) ||
			query.Has("context_id") && t.context != query.Get("context_id") ||
			query.Has("deployment") && query.Get("deployment") != d.cfg.Deployment {
			continue
		}
		list = append(list, t.hash())
	}
	reply(w, list)
}

// hash is a task as the API shows it. The Director's mutex is held.
func (t *task) hash() map[string]any {
	return map[string]any{"id": t.id, "state": t.state, "description": t.description, "result": t.result, "user": t.user, "deployment": t.d.cfg.Deployment, "context_id": t.context}
}

// withTask serves a task under the Director's mutex.
func (d *Director) withTask(serve func(http.ResponseWriter, *http.Request, *task)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		d.mu.Lock()
		defer d.mu.Unlock()
		if err != nil || id < 1 || id > len(d.tasks) {
			refuse(w, 10000, fmt.Sprintf("Task %s not found", r.PathValue("id")))
			return
		}
		serve(w, r, d.tasks[id-1])
	}
}

func output(w http.ResponseWriter, r *http.Request, t *task) {
	var content []byte
	switch r.FormValue("type") {
	case "event":
		content = t.events
	case "result":
		content = t.listed
	}
	from := 0
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil {
		if from >= len(content) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = w.Write(content[from:])
}

func (d *Director) redirect(w http.ResponseWriter, id int) {
	d.mu.Lock()
	deaf := d.deaf
	d.deaf = false
	d.mu.Unlock()
	if deaf {
		panic(http.ErrAbortHandler)
	}
	// A real one gives the address it was configured with, which need not be
	// the one it was called at.
	w.Header().Set("Location", fmt.Sprintf("http://director.invalid:25555/tasks/%d", id))
	w.WriteHeader(http.StatusFound)
}

func refuse(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotFound)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "description": text})
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
