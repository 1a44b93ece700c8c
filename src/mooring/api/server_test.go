package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

func refusePlans(context.Context, *state.Snapshot, model.PlanSpec, []string, time.Time) (*client.Preview, error) {
	return nil, errors.New("no plans here")
}

func (f *fixture) read(t *testing.T, path string) (int, string) {
	t.Helper()
	g := NewWithT(t)
	response, err := http.Get(f.url + path)
	g.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	return response.StatusCode, string(content)
}

func TestTheAPIDescribesItself(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	status, content := f.read(t, "/openapi.json")
	g.Expect(status).To(Equal(http.StatusOK))
	var document struct {
		OpenAPI    string                    `json:"openapi"`
		Paths      map[string]map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	g.Expect(json.Unmarshal([]byte(content), &document)).To(Succeed())
	g.Expect(document.OpenAPI).To(HavePrefix("3.1"))
	for _, path := range []string{
		"/v1/volume-sets", "/v1/volume-sets/{org}/{space}/{name}", "/v1/volumes",
		"/v1/apps", "/v1/apps/{org}/{space}/{name}", "/v1/apps/{org}/{space}/{name}/scale", "/v1/apps/{org}/{space}/{name}/instances",
		"/v1/apps/{org}/{space}/{name}/instances/{index}/logs", "/v1/check-policy",
		"/v1/cells", "/v1/cells/{id}", "/v1/cells/{id}/register", "/v1/cells/{id}/work", "/v1/cells/{id}/report",
		"/v1/preview", "/v1/plans", "/v1/plans/{plan}", "/v1/plans/{plan}/intent", "/v1/plans/{plan}/stream",
		"/v1/stuck", "/v1/stuck/{id}/answer", "/v1/events", "/v1/events/stream",
	} {
		g.Expect(document.Paths).To(HaveKey(path))
	}
	g.Expect(document.Components.Schemas).To(And(HaveKey("Push"), HaveKey("PlanView"), HaveKey("Stuck"), HaveKey("Work")))
	g.Expect(content).To(ContainSubstring("25%"), "our quantities are explained")
}

func TestHealthFollowsTheMirror(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	status, content := f.read(t, "/healthz")
	g.Expect(status).To(Equal(http.StatusOK))
	g.Expect(content).To(ContainSubstring(`"status":"ok"`))
	g.Expect(f.store.Close()).To(Succeed())
	status, content = f.read(t, "/healthz")
	g.Expect(status).To(Equal(http.StatusServiceUnavailable))
	g.Expect(content).To(ContainSubstring("closed"))
	_, err := f.Push(t.Context(), plain("web", 1))
	g.Expect(err).To(refusal(http.StatusServiceUnavailable, "try again"))
}

func TestMetricsShowTheState(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 3)
	_, err := f.Push(t.Context(), plain("web", 2))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = f.StartPlan(t.Context(), aPlan("one", "c1"))
	g.Expect(err).NotTo(HaveOccurred())
	f.put(t, aStuck("a"), &model.Roll{Plan: "one", CellID: "c1", Phase: model.Acting})
	status, content := f.read(t, "/metrics")
	g.Expect(status).To(Equal(http.StatusOK))
	for _, line := range []string{
		`mooring_cells{az="z1",present="true"} 2`,
		`mooring_app_instances{app="acme/prod/web",standing="down"} 2`,
		`mooring_app_limit{app="acme/prod/web",limit="interrupted"} 1`,
		`mooring_plan_rolls{phase="acting",plan="one"} 1`,
		`mooring_stuck{kind="handler-hung"} 1`,
		`mooring_api_requests_total{operation="push-app",status="200"} 1`,
		`mooring_api_requests_total{operation="start-plan",status="201"} 1`,
	} {
		g.Expect(content).To(ContainSubstring(line))
	}
}

func TestLogsComeFromTheInstancesCell(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	asked := make(chan string, 10)
	release := make(chan struct{})
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.String()
		if r.Header.Get("Authorization") != "Bearer sesame" {
			http.Error(w, "who asks?", http.StatusUnauthorized)
		}
		fmt.Fprintln(w, "one")
		if r.FormValue("follow") == "true" {
			w.(http.Flusher).Flush()
			<-release
			fmt.Fprintln(w, "two")
		}
	}))
	defer agent.Close()
	cell := aCell("c1", "z1")
	cell.Address = "127.0.0.1"
	cell.LogAddress, cell.LogKey = strings.TrimPrefix(agent.URL, "http://"), "sesame"
	_, err := f.Register(t.Context(), cell)
	g.Expect(err).NotTo(HaveOccurred())
	inst := f.placed(t, "c1")

	logs, err := f.Logs(t.Context(), named("web"), 0, client.LogOptions{Lines: 7})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(io.ReadAll(logs)).To(BeEquivalentTo("one\n"))
	g.Expect(asked).To(Receive(Equal("/logs/" + inst.AppGUID + "/0?follow=false&lines=7")))
	g.Expect(f.Cell(t.Context(), "c1")).To(HaveField("LogKey", ""), "the key is not shown to anybody")
	g.Expect(f.Cells(t.Context())).To(ConsistOf(HaveField("LogKey", "")))

	logs, err = f.Logs(t.Context(), named("web"), 0, client.LogOptions{Follow: true})
	g.Expect(err).NotTo(HaveOccurred())
	first := make([]byte, 4)
	g.Expect(io.ReadFull(logs, first)).To(Equal(4), "what there is comes before there is more")
	close(release)
	g.Expect(io.ReadAll(logs)).To(BeEquivalentTo("two\n"))

	_, err = f.Logs(t.Context(), named("web"), 5, client.LogOptions{})
	g.Expect(err).To(refusal(http.StatusNotFound, "no instance acme/prod/web/5"))
	agent.Close()
	_, err = f.Logs(t.Context(), named("web"), 0, client.LogOptions{})
	g.Expect(err).To(refusal(http.StatusBadGateway, "cell c1"))
}

func TestTheAPINeedsItsParts(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	for _, cfg := range []Config{{Store: f.store}, {Planner: refusePlans}, {Store: f.store, Planner: refusePlans, LeaseTTL: time.Millisecond}} {
		_, err := New(cfg)
		g.Expect(err).To(HaveOccurred())
	}
}
