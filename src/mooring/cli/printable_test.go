package cli_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
	"unicode"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

// evil clears the screen, renames the window, turns the direction of the text
// and begins a line that looks like one of ours.
const evil = "x\x1b[2J\u009b2J\x1b]0;owned\a\u202ekcuts\r\nSTUCK 1: all is well\t"

// Whatever anybody wrote into the state, nothing of it acts on the terminal of
// who looks at it, and none of it looks like a line of ours.
func TestOutput_NothingActsOnATerminal(t *testing.T) {
	app := client.AppView{App: model.App{Name: model.Name{Org: "acme", Space: "prod", Name: "db"}, Owner: evil}}
	app.Members = []client.InstanceView{{
		Address: evil, Unplaced: evil, GaveWay: evil,
		Actual: &model.ActualInstance{State: model.Crashed, LastExit: evil, Error: evil, Output: []string{evil}, Disruption: &model.ActualDisruption{Message: evil}},
	}}
	stuck := model.Stuck{
		ID: "1f", Kind: model.HandlerHung, What: evil, Advice: evil, Owner: evil, Message: evil, Error: evil, Output: []string{evil}, Since: time.Now(),
		Data: []string{evil}, Answers: []model.Verb{model.Skip}, Effects: map[model.Verb]string{model.Skip: evil}, Answer: &model.Answer{Verb: model.Skip, By: evil, Reason: evil},
	}
	cell := client.CellView{Cell: model.Cell{ID: "c1", Pool: evil, Address: evil, Boot: evil, Refused: evil}}
	happened := event("1", evil)
	happened.Actor, happened.Reason = evil, evil
	api := newAPI(t)
	api.answers("GET /v1/apps", []client.AppView{app})
	api.answers("GET /v1/apps/acme/prod/db", app)
	api.answers("GET /v1/cells", []client.CellView{cell})
	api.answers("GET /v1/cells/c1", cell)
	api.answers("GET /v1/stuck", []model.Stuck{stuck})
	api.answers("GET /v1/events", []model.Event{happened})
	api.answers("GET /v1/why/cells/c1", client.Why{Chain: []client.Link{{Text: evil, Owner: evil}, {Text: evil}}})
	api.answers("GET /v1/plans/kernel", client.PlanView{Plan: model.Plan{PlanSpec: model.PlanSpec{Name: "kernel"}, Reason: evil}, Stuck: []model.Stuck{stuck}})
	api.mux.HandleFunc("GET /v1/apps/acme/prod/db/instances/0/logs", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(evil)) })
	api.refuses("GET /v1/apps/acme/prod/gone", http.StatusNotFound, func() string {
		problem, _ := json.Marshal(map[string]any{"title": "Not Found", "detail": evil, "errors": []map[string]string{{"message": evil, "location": evil}}})
		return string(problem)
	}())
	for _, args := range [][]string{
		{"apps"}, {"app", "db"}, {"cells"}, {"cell", "c1"}, {"stuck"}, {"events"}, {"why", "c1"}, {"plan-status", "kernel"}, {"logs", "db", "0"}, {"app", "gone"},
		{"app", "db", "--json"}, {"stuck", "--json"}, {"events", "--json"},
	} {
		g := NewWithT(t)
		r := api.run(t, args...)
		shown := r.out + r.err
		g.Expect(shown).To(ContainSubstring(`\u001b`), "%v", args)
		for at, c := range shown {
			if unicode.IsControl(c) && c != '\n' && c != '\t' || c == '\u202e' {
				t.Errorf("%v shows %U at %d of %q", args, c, at, shown)
			}
		}
		if args[0] != "logs" {
			g.Expect(shown).NotTo(ContainSubstring("\nSTUCK 1: all"), "%v", args)
		}
		if args[len(args)-1] == "--json" {
			g.Expect(json.Valid([]byte(r.out))).To(BeTrue(), r.out)
		}
	}
}
