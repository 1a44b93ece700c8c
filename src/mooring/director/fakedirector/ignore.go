package fakedirector

import (
	"encoding/json"
	"net/http"
	"slices"
)

// Ignore has an instance ignored from now on, or no longer, as "bosh ignore"
// does.
func (d *Director) Ignore(id string, ignored bool) {
	i := d.instance(id)
	d.mu.Lock()
	defer d.mu.Unlock()
	i.ignored = ignored
}

// Ignored lists the instances that are ignored.
func (d *Director) Ignored() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var ids []string
	for _, i := range d.instances {
		if i.ignored {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

func (d *Director) isIgnored(i *Instance) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return i.ignored
}

func (d *Director) ignoresAny() bool { return len(d.Ignored()) > 0 }

// checkRemoval refuses a deploy that would do without an ignored instance.
func (d *Director) checkRemoval(remove []string) error {
	ignored := d.Ignored()
	if !slices.ContainsFunc(ignored, func(id string) bool { return slices.Contains(remove, id) }) {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return boshSays("Instance Group '%s' has %d ignored instance(s). %d instance(s) of that instance group were requested. Deleting ignored instances is not allowed.", d.cfg.Group, len(ignored), len(d.instances)-len(remove))
}

// putIgnore takes effect at once, whoever holds the deployment.
func (d *Director) putIgnore(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Ignore bool }
	if r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(r.Body).Decode(&asked) != nil {
		http.Error(w, "", http.StatusNotFound) // the route wants JSON
		return
	}
	d.Ignore(r.PathValue("id"), asked.Ignore)
}

// listFull starts the task that asks every agent how it is, and knows of each
// instance whether it is ignored. It waits for a worker, and for no lock.
func (d *Director) listFull(w http.ResponseWriter, r *http.Request) {
	user, _, _ := r.BasicAuth()
	d.redirect(w, d.submit("retrieve vm-stats", user, "", false, func(t *task) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, i := range d.instances {
			line, err := json.Marshal(map[string]any{"id": i.ID, "job_name": d.groupOf(i), "index": i.Index, "az": i.AZ, "ignore": i.ignored})
			if err != nil {
				panic(err) // it is all text
			}
			t.listed = append(append(t.listed, line...), '\n')
		}
		return nil
	}))
}
