package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/access"
	"mooring/client"
	"mooring/model"
)

// What a caller sent may hold secrets, and refusals end in logs.
func TestRefusals_EchoNothingOfTheBody(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	push := func(body string) (int, string) {
		request, err := http.NewRequest(http.MethodPut, f.url+"/v1/apps/acme/prod/db", strings.NewReader(body))
		g.Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		g.Expect(err).NotTo(HaveOccurred())
		defer response.Body.Close()
		said, err := io.ReadAll(response.Body)
		g.Expect(err).NotTo(HaveOccurred())
		return response.StatusCode, string(said)
	}
	const spec = `"spec": {"command": "bin/run --password sesame", "memory": "1G", "health": {}, "env": {"PASSWORD": "sesame"}}`
	for what, body := range map[string]string{
		"a field is missing":      `{"org": "acme", "space": "prod", "name": "db", ` + spec + `}`,
		"a field is of no type":   `{"org": "acme", "space": "prod", "name": "db", "instances": "sesame", "lifecycle": {}, ` + spec + `}`,
		"there is too much":       `{"org": "acme", "space": "prod", "name": "db", "instances": 1, "lifecycle": {}, "token": "sesame", ` + spec + `}`,
		"a value is deep inside":  `{"org": "acme", "space": "prod", "name": "db", "instances": 1, "lifecycle": {}, "spec": {"command": 5, "memory": "1G", "health": {}, "env": {"PASSWORD": {"is": "sesame"}}}}`,
		"it is not JSON":          `{"org": "acme", "password": sesame}`,
		"it breaks off":           `{"org": "acme", "password": "sesame`,
		"it is not even a object": `["sesame"]`,
	} {
		status, said := push(body)
		g.Expect(status).To(BeNumerically(">=", 400), what)
		g.Expect(said).To(ContainSubstring(`"detail"`), what)
		g.Expect(said).NotTo(ContainSubstring("sesame"), what)
	}
	_, said := push(`{"org": "acme", "space": "prod", "name": "db", "instances": "sesame", "lifecycle": {}, ` + spec + `}`)
	g.Expect(said).To(ContainSubstring(`"location":"body.instances"`), "where the fault is, is said")
	status, said := f.read(t, "/v1/events?limit=sesame")
	g.Expect(status).To(Equal(http.StatusUnprocessableEntity))
	g.Expect(said).NotTo(ContainSubstring("sesame"))
}

func TestAnswers_AreSniffedAndKeptByNobody(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	handler := f.handler(t, f.store)
	for path, status := range map[string]int{
		"/v1/cells": 200, "/v1/cells/c9": 404, "/v1/nothing": 404, "/v1/events?limit=x": 422,
		"/healthz": 200, "/metrics": 200, "/openapi.json": 200,
	} {
		answer := httptest.NewRecorder()
		operator := &access.Actor{Name: "olga", Roles: []access.Role{{Kind: access.Operator}}}
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(access.With(t.Context(), operator), http.MethodGet, path, nil))
		g.Expect(answer.Code).To(Equal(status), path)
		g.Expect(answer.Header().Get("X-Content-Type-Options")).To(Equal("nosniff"), path)
		g.Expect(answer.Header().Get("Cache-Control")).To(Equal("no-store"), path)
	}
	nobody := httptest.NewRecorder()
	handler.ServeHTTP(nobody, httptest.NewRequest(http.MethodGet, "/v1/cells", nil))
	g.Expect(nobody.Code).To(Equal(401))
	g.Expect(nobody.Header().Get("X-Content-Type-Options")).To(Equal("nosniff"))
}

func TestAPI_ServesNoPageWithScriptsOfOtherSites(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	status, _ := f.read(t, "/docs")
	g.Expect(status).To(Equal(http.StatusNotFound), "the document is at /openapi.json, for tools of one's own")
}

// What an app runs, and how its handlers are called and what they say, is for
// those who may read its logs.
func TestCommands_AreForThoseWhoMayReadTheLogs(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	push := plain("db", 1)
	push.Spec.Command, push.Spec.Health = "bin/run --password sesame", model.HealthCheck{Type: model.HealthCommand, Command: "bin/check sesame"}
	push.Policy.Interrupt = &model.Handler{Command: "bin/step-down sesame", Cancel: "bin/step-up sesame"}
	push.Policy.Drain = &model.Handler{HTTP: "/drain/sesame"}
	_, err := f.Push(t.Context(), push)
	g.Expect(err).NotTo(HaveOccurred())
	app := f.store.Snapshot().AppNamed(named("db"))
	_, err = f.StartPlan(t.Context(), aPlan("one", "c1"))
	g.Expect(err).NotTo(HaveOccurred())
	name := named("db")
	item := aStuck("a")
	item.Plan, item.CellID, item.App, item.AppGUID, item.Index = "one", "c1", &name, app.GUID, 0
	item.Output, item.Message, item.Handler = nil, "moving sesame", app.Policy.Interrupt
	f.put(t, item,
		&model.Roll{Plan: "one", CellID: "c1", Action: model.Reboot, Phase: model.Interrupting, StuckID: "a"},
		&model.Instance{AppGUID: app.GUID, Placement: model.Placement{GUID: "i", CellID: "c1"}},
		&model.ActualInstance{AppGUID: app.GUID, CellID: "c1", GUID: "i", State: model.Serving, Disruption: &model.ActualDisruption{PermitID: "p", Progress: 0.3, Message: "moving sesame"}})
	tx := f.store.Snapshot().Txn()
	tx.Event(model.Event{At: time.Now(), Kind: model.EventStuckOpened, Actor: "orchestrator", Plan: "one", Stuck: item})
	_, err = f.store.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())

	paths := []string{
		"/v1/apps", "/v1/apps/acme/prod/db", "/v1/apps/acme/prod/db/instances", "/v1/cells", "/v1/cells/c1", "/v1/volumes", "/v1/volume-sets",
		"/v1/stuck", "/v1/events", "/v1/why/cells/c1", "/v1/why/plans/one", "/v1/plans", "/v1/plans/one",
	}
	for _, path := range paths {
		g.Expect(f.textFor(t, "developer:acme/test", path)).NotTo(ContainSubstring("sesame"), path)
	}
	for _, path := range []string{"/v1/apps", "/v1/apps/acme/prod/db", "/v1/stuck", "/v1/events", "/v1/why/cells/c1", "/v1/cells/c1"} {
		for _, role := range []string{"developer:acme/prod", "auditor", "operator"} {
			g.Expect(f.textFor(t, role, path)).To(ContainSubstring("sesame"), "%s at %s", role, path)
		}
	}
	own, err := f.as(t, "c1", "cell:c1").AppOn(t.Context(), "c1", name)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(own.Spec.Command).To(Equal("(hidden)"))
	g.Expect(f.store.Snapshot().AppNamed(name)).To(And(
		HaveField("Spec.Command", push.Spec.Command), HaveField("Policy.Interrupt.Command", "bin/step-down sesame")), "what is hidden is kept")
	var shown client.AppView
	shown.App = *app
	hideCommands(&shown.App)
	g.Expect(app.Policy.Interrupt.Command).To(Equal("bin/step-down sesame"), "hiding changes no record")
}
