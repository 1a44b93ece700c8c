package cli_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/cli"
	"mooring/client"
	"mooring/model"
)

func event(id, text string) model.Event {
	return model.Event{ID: id, At: time.Now(), Kind: "roll.phase", Actor: "orchestrator", Text: text}
}

func TestEventsOfAnotherDayAreDated(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	old := event("1", "cell-1 is done")
	old.At = time.Date(2026, 3, 1, 8, 0, 0, 0, time.Local)
	api.answers("GET /v1/events", []model.Event{old})
	g.Expect(api.run(t, "events").out).To(HavePrefix("2026-03-01 08:00:00  roll.phase "))
}

func TestEvents(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	answered := event("2", "answered")
	answered.Reason = "later"
	api.answers("GET /v1/events", []model.Event{event("1", "cell-1 is cordoned"), answered})
	r := api.run(t, "events", "--app", "db", "--plan", "kernel", "--cell", "cell-1", "--limit", "7", "--after", "0")
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(undated(r.out)).To(Equal(lines(
		"TIME  roll.phase              orchestrator  cell-1 is cordoned",
		"TIME  roll.phase              orchestrator  answered (later)",
	)))
	g.Expect(api.requests()).To(Equal([]string{"GET /v1/events?after=0&app=acme%2Fprod%2Fdb&cell=cell-1&limit=7&plan=kernel"}))
	g.Expect(api.run(t, "events", "--json").out).To(HavePrefix("[\n"))
	g.Expect(api.run(t, "events", "--app", "A").status).To(Equal(2))
}

func TestEventsAreNarrowedByKindActorAndTime(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/events", []model.Event{})
	g.Expect(api.run(t, "events", "--kind", "stuck", "--kind", "plan.started", "--actor", "robin", "--since", "2026-03-01T08:00:00+01:00").status).To(Equal(0))
	g.Expect(api.requests()).To(Equal([]string{"GET /v1/events?actor=robin&kind=stuck%2Cplan.started&limit=100&since=2026-03-01T07%3A00%3A00Z"}))
	r := api.run(t, "events", "--since", "yesterday")
	g.Expect(r.status).To(Equal(2))
	g.Expect(r.err).To(ContainSubstring(`--since: "yesterday" is neither how long ago, such as 2h, nor a time such as 2026-03-01T08:00:00Z`))
}

func TestAllEventsAreExportedOneToALine(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/events", []model.Event{event("1", "one"), event("2", "two")})
	r := api.run(t, "events", "--all", "--json", "--plan", "kernel")
	g.Expect(strings.Split(strings.TrimSpace(r.out), "\n")).To(HaveExactElements(ContainSubstring(`"one"`), ContainSubstring(`"two"`)))
	g.Expect(api.requests()).To(Equal([]string{"GET /v1/events?after=0&limit=5000&plan=kernel"}))
	g.Expect(api.run(t, "events", "--all", "--follow").status).To(Equal(2))
}

// following runs a command that follows something, until the output shows what
// was waited for; then it is interrupted.
func following(t *testing.T, api *fakeAPI, until string, args ...string) (out string, status int) {
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	var shown, errs lockedBuffer
	app := cli.New()
	app.Reader, app.Writer, app.ErrWriter = strings.NewReader(""), &shown, &errs
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Execute(ctx, app, append([]string{"moor", "--api", api.URL, "--org", "acme", "--space", "prod"}, args...))
	}()
	g := NewWithT(t)
	g.Eventually(shown.String, "10s", "5ms").Should(ContainSubstring(until), errs.String)
	interrupt()
	g.Eventually(ended, "10s").Should(Receive(&status))
	return shown.String(), status
}

func TestEventsAreFollowedFromWhereTheyAre(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/events", []model.Event{event("1", "old")})
	api.streams("GET /v1/events/stream", "event", event("2", "new"))
	out, status := following(t, api, "new", "events", "--follow", "--json")
	g.Expect(status).To(Equal(130))
	g.Expect(strings.Split(strings.TrimSpace(out), "\n")).To(ConsistOf(ContainSubstring(`"old"`), ContainSubstring(`"new"`)))
	g.Expect(api.requests()).To(ContainElement("GET /v1/events/stream?after=1"))
}

func TestEventsOfAKindThatHasNotHappenedYet(t *testing.T) {
	api := newAPI(t)
	api.mux.HandleFunc("GET /v1/events", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("plan") {
			fmt.Fprint(w, "[]")
			return
		}
		fmt.Fprint(w, `[{"id":"41"}]`)
	})
	api.streams("GET /v1/events/stream", "event", event("42", "new"))
	following(t, api, "new", "events", "-f", "--plan", "kernel")
	NewWithT(t).Expect(api.requests()).To(ContainElement("GET /v1/events/stream?after=41&plan=kernel"))
}

func TestLogs(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/apps/acme/prod/db/instances", []client.InstanceView{{Index: 0}, {Index: 1}})
	for i := range 2 {
		api.mux.HandleFunc(fmt.Sprintf("GET /v1/apps/acme/prod/db/instances/%d/logs", i), func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "first of %d\nlast of %d", i, i)
		})
	}
	g.Expect(api.run(t, "logs", "db", "1", "-n", "5").out).To(Equal(lines("first of 1", "last of 1")))
	g.Expect(api.requests()).To(Equal([]string{"GET /v1/apps/acme/prod/db/instances/1/logs?follow=false&lines=5"}))
	g.Expect(strings.Split(strings.TrimSpace(api.run(t, "logs", "db").out), "\n")).To(ConsistOf(
		"[0] first of 0", "[0] last of 0", "[1] first of 1", "[1] last of 1"))
	g.Expect(api.run(t, "logs", "db", "1", "--json").out).To(Equal(lines(`{"index":1,"line":"first of 1"}`, `{"index":1,"line":"last of 1"}`)))
	g.Expect(api.run(t, "logs", "db", "x").status).To(Equal(2))
}

func TestLogsOfOneInstanceDoNotHideTheOthers(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/apps/acme/prod/db/instances", []client.InstanceView{{Index: 0}, {Index: 1}})
	api.refuses("GET /v1/apps/acme/prod/db/instances/0/logs", 503, `{"title":"Service Unavailable","detail":"its cell does not answer"}`)
	api.mux.HandleFunc("GET /v1/apps/acme/prod/db/instances/1/logs", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "here") })
	g.Expect(api.run(t, "logs", "db")).To(Equal(result{0, "[1] here\n", "moor: acme/prod/db/0: its cell does not answer\n"}))
	g.Expect(api.run(t, "logs", "db", "0")).To(Equal(result{1, "", "moor: its cell does not answer\n"}))
}

func TestLogsAreFollowedAcrossAMove(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	opened := make(chan string, 10)
	api.mux.HandleFunc("GET /v1/apps/acme/prod/db/instances/0/logs", func(w http.ResponseWriter, r *http.Request) {
		lines := r.URL.Query().Get("lines")
		opened <- lines
		if lines != "0" {
			fmt.Fprintln(w, "on the old cell")
			return // the stream ends with the instance
		}
		fmt.Fprintln(w, "on the new cell")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	out, status := following(t, api, "new cell", "logs", "db", "0", "--follow")
	g.Expect(out).To(Equal(lines("on the old cell", "on the new cell")))
	g.Expect(status).To(Equal(130))
}
