package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/access"
	"mooring/model"
)

// callers are one of each kind that calls the API, by name. What is asked for is
// about app acme/prod/db, cell c1 and plan one.
var callers = map[string]string{
	"operator":        "operator",
	"own-space":       "developer:acme/prod",
	"own-org":         "developer:acme",
	"other-space":     "developer:acme/test",
	"other-org":       "developer:other",
	"same-space-name": "developer:other/prod",
	"auditor":         "auditor",
	"any-cell":        "cell",
	"cell-c1":         "cell:c1",
	"cell-c2":         "cell:c2",
	"scraper":         "scraper",
	"no-role":         "",
}

// Groups of callers, for the rows.
const (
	everybody = "operator own-space own-org other-space other-org same-space-name auditor any-cell cell-c1 cell-c2 scraper no-role"
	viewers   = "operator own-space own-org other-space other-org same-space-name auditor"
	owners    = "operator own-space own-org"
	operators = "operator"
	itself    = "any-cell cell-c1"
)

// matrix has a row for every operation: who may, and what is sent where that
// matters. Nobody else may, and of those who have shown nothing only with open.
var matrix = map[string]struct {
	may  string
	open bool
	body string
}{
	"GET /healthz":              {may: everybody, open: true},
	"GET /openapi.json":         {may: everybody, open: true},
	"GET /openapi.yaml":         {may: everybody, open: true},
	"GET /openapi-3.0.json":     {may: everybody, open: true},
	"GET /openapi-3.0.yaml":     {may: everybody, open: true},
	"GET /schemas/{schema}":     {may: everybody, open: true},
	"GET /v1/whoami":            {may: everybody},
	"GET /metrics":              {may: "operator auditor scraper"},
	"GET /v1/events":            {may: viewers},
	"GET /v1/events/stream":     {may: viewers},
	"GET /v1/stuck":             {may: viewers},
	"PUT /v1/stuck/{id}/answer": {may: owners, body: `{"verb": "retry", "reason": "it was mended"}`},
	"GET /v1/why/cells/{id}":    {may: viewers},
	"GET /v1/why/plans/{plan}":  {may: viewers},

	"GET /v1/volume-sets":                         {may: viewers},
	"GET /v1/volume-sets/{org}/{space}/{name}":    {may: viewers},
	"POST /v1/volume-sets":                        {may: owners, body: `{"org": "acme", "space": "prod", "name": "more", "class": "persistent", "count": 1, "size": "1G"}`},
	"DELETE /v1/volume-sets/{org}/{space}/{name}": {may: owners},
	"GET /v1/volumes":                             {may: viewers},

	"GET /v1/apps":                                             {may: viewers},
	"GET /v1/apps/{org}/{space}/{name}":                        {may: viewers},
	"GET /v1/apps/{org}/{space}/{name}/instances":              {may: viewers},
	"GET /v1/apps/{org}/{space}/{name}/instances/{index}/logs": {may: owners + " auditor"},
	"PUT /v1/apps/{org}/{space}/{name}":                        {may: owners},
	"PUT /v1/apps/{org}/{space}/{name}/scale":                  {may: owners, body: `{"instances": 2}`},
	"DELETE /v1/apps/{org}/{space}/{name}":                     {may: owners},
	"POST /v1/check-policy":                                    {may: viewers},

	"GET /v1/cells":                                {may: viewers},
	"GET /v1/cells/{id}":                           {may: viewers},
	"POST /v1/cells/{id}/register":                 {may: itself},
	"POST /v1/cells/{id}/report":                   {may: itself},
	"GET /v1/cells/{id}/work":                      {may: itself},
	"GET /v1/cells/{id}/apps/{org}/{space}/{name}": {may: itself},
	"GET /v1/cells/{id}/leave/stream":              {may: itself + " operator"},
	"GET /v1/cells/{id}/return/stream":             {may: itself + " operator"},
	"PUT /v1/cells/{id}/leave":                     {may: itself + " operator", body: `{"action": "restart"}`},
	"GET /v1/cells/{id}/return":                    {may: itself + " operator"},
	"PUT /v1/cells/{id}/return":                    {may: itself + " operator", body: `{"asking": "me"}`},
	"PUT /v1/cells/{id}/gate-opened":               {may: itself + " operator", body: `{"reason": "INC-1", "at": "2030-01-01T00:00:00Z"}`},

	"POST /v1/preview":            {may: viewers},
	"POST /v1/plans":              {may: operators},
	"GET /v1/plans":               {may: viewers},
	"GET /v1/plans/{plan}":        {may: viewers},
	"PUT /v1/plans/{plan}/intent": {may: operators, body: `{"intent": "pause"}`},
	"GET /v1/plans/{plan}/stream": {may: viewers + " any-cell cell-c1 cell-c2"},
}

// Every operation that the API serves, as every kind of caller. An operation
// without a row fails: say first who may.
func TestAccessMatrix_CoversEveryOperation(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2).withSet(t, "db", 1)
	_, err := f.Push(t.Context(), aPush("db", 1))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = f.StartPlan(t.Context(), aPlan("one", "c1"))
	g.Expect(err).NotTo(HaveOccurred())
	f.put(t, aStuck("a"))
	handler := f.handler(t, f.store)
	for _, served := range operationsOf(t, handler) {
		row, known := matrix[served]
		if !known {
			t.Errorf("%s has no row in the matrix; say who may", served)
			continue
		}
		for name, roleName := range callers {
			status, said := call(t, handler, served, row.body, callerOf(t, name, roleName))
			if slices.Contains(strings.Fields(row.may), name) {
				g.Expect(status).NotTo(BeElementOf(401, 403), "%s as %s: %s", served, name, said)
			} else {
				g.Expect(status).To(Equal(403), "%s as %s: %s", served, name, said)
			}
		}
		if status, said := call(t, handler, served, row.body, nil); row.open {
			g.Expect(status).NotTo(BeElementOf(401, 403), "%s as nobody: %s", served, said)
		} else {
			g.Expect(status).To(Equal(401), "%s as nobody: %s", served, said)
		}
	}
}

// The rows are of operations that there are, the callers of every kind.
func TestAccessMatrix_HasNothingThatThereIsNot(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	served := operationsOf(t, f.handler(t, f.store))
	for pattern := range matrix {
		g.Expect(served).To(ContainElement(pattern))
	}
	kinds := map[access.Kind]bool{}
	for name, roleName := range callers {
		for _, role := range callerOf(t, name, roleName).Roles {
			kinds[role.Kind] = true
		}
	}
	g.Expect(slices.Collect(maps.Keys(kinds))).To(ConsistOf(access.Operator, access.Developer, access.Auditor, access.Cell, access.Scraper))
}

// An answer to what concerns more than an app takes an operator, which the
// request's body alone shows.
func TestAccessMatrix_WhatAnAnswerTakesDependsOnIt(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	f.put(t, aStuck("a"))
	handler := f.handler(t, f.store)
	for verb, may := range map[model.Verb]string{model.Wait: owners, model.Retry: owners, model.Force: owners, model.Skip: operators, model.Lost: operators} {
		for name, roleName := range callers {
			status, said := call(t, handler, "PUT /v1/stuck/{id}/answer", fmt.Sprintf(`{"verb": %q, "reason": "why"}`, verb), callerOf(t, name, roleName))
			g.Expect(status == 403).To(Equal(!slices.Contains(strings.Fields(may), name)), "%s as %s: %d %s", verb, name, status, said)
		}
	}
}

// operationsOf lists what is served: what the API's own description has, and
// what else there is a route for.
func operationsOf(t *testing.T, handler http.Handler) []string {
	t.Helper()
	g := NewWithT(t)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var document struct{ Paths map[string]map[string]any }
	g.Expect(json.Unmarshal(answer.Body.Bytes(), &document)).To(Succeed())
	all := maps.Clone(handler.(*guarded).served)
	for path, methods := range document.Paths {
		for method := range methods {
			all[strings.ToUpper(method)+" "+path] = true
		}
	}
	g.Expect(len(document.Paths)).To(BeNumerically(">", 30))
	return slices.Sorted(maps.Keys(all))
}

func callerOf(t *testing.T, name, roleName string) *access.Actor {
	t.Helper()
	actor := &access.Actor{Name: name, How: "token"}
	if roleName != "" {
		role, err := access.ParseRole(roleName)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		actor.Roles = []access.Role{role}
	}
	return actor
}

// call asks for an operation as somebody, nil for who has shown nothing. What is
// asked for is over before it begins, so that nothing changes and streams end.
func call(t *testing.T, handler http.Handler, pattern, body string, as *access.Actor) (status int, said string) {
	t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	at := "c1"
	if strings.HasPrefix(path, "/v1/stuck/") {
		at = "a"
	}
	path = strings.NewReplacer("{org}", "acme", "{space}", "prod", "{name}", "db", "{index}", "0", "{id}", at, "{plan}", "one", "{schema}", "Push.json").Replace(path)
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	if as != nil {
		ctx = access.With(ctx, as)
	}
	request := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	return answer.Code, answer.Body.String()
}
