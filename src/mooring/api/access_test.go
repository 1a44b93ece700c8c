package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/access"
	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// as gives a client whose calls are those of somebody with these roles.
func (f *fixture) as(t *testing.T, name string, roles ...string) *client.Client {
	t.Helper()
	g := NewWithT(t)
	actor := &access.Actor{Name: name, How: "token"}
	for _, text := range roles {
		role, err := access.ParseRole(text)
		g.Expect(err).NotTo(HaveOccurred())
		actor.Roles = append(actor.Roles, role)
	}
	handler := f.handler(t, f.store)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(access.With(r.Context(), actor)))
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	c, err := client.New(client.Config{Endpoints: []string{server.URL}})
	g.Expect(err).NotTo(HaveOccurred())
	return c
}

// Every route that is served has a right, every right is that of a route, and
// nobody who is not known gets past any but the open ones.
func TestEveryRouteHasARight(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	handler := f.handler(t, f.store)
	mux := handler.(*guarded)
	for pattern := range rights {
		g.Expect(mux.served).To(HaveKey(pattern), "a right for a route that there is not")
	}
	var document struct{ Paths map[string]map[string]any }
	_, content := f.read(t, "/openapi.json")
	g.Expect(json.Unmarshal([]byte(content), &document)).To(Succeed())
	for path, methods := range document.Paths {
		for method := range methods {
			g.Expect(rights).To(HaveKey(strings.ToUpper(method) + " " + path))
		}
	}

	ask := func(pattern string, ctx context.Context) *httptest.ResponseRecorder {
		method, path, _ := strings.Cut(pattern, " ")
		path = regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, "x")
		answer := httptest.NewRecorder()
		ended, cancel := context.WithCancel(ctx)
		cancel() // streams end at once
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(ended, method, path, nil))
		return answer
	}
	for pattern, needed := range rights {
		switch {
		case pattern == "GET /v1/whoami":
			g.Expect(ask(pattern, t.Context())).To(HaveField("Code", 401))
		case needed.right == "":
			g.Expect(ask(pattern, t.Context()).Code).NotTo(BeElementOf(401, 403), pattern)
		default:
			unknown := ask(pattern, t.Context())
			g.Expect(unknown.Code).To(Equal(401), pattern)
			g.Expect(unknown.Header().Get("Content-Type")).To(Equal("application/problem+json"))
			denied := ask(pattern, access.With(t.Context(), &access.Actor{Name: "olga"}))
			g.Expect(denied.Code).To(Equal(403), pattern)
			g.Expect(denied.Body.String()).To(And(ContainSubstring(`"actor":"olga (no role)"`), ContainSubstring(`"right":"`), ContainSubstring(`"object":"`)), pattern)
		}
	}
}

func TestARouteWithoutARightIsNotServed(t *testing.T) {
	g := NewWithT(t)
	mux := newGuarded()
	mux.HandleFunc("GET /v1/secrets", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") })
	g.Expect(mux.err).To(MatchError(ContainSubstring("the route GET /v1/secrets has no right")))
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v1/secrets", nil))
	g.Expect(answer.Code).To(Equal(404))
}

func TestADeveloperHasTheAppsOfASpace(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2)
	nina, others := f.as(t, "nina", "developer:acme/prod"), f.as(t, "max", "developer:acme/test")
	set := client.VolumeSetRequest{Name: named("db"), Class: model.ClassPersistent, Count: 2, Size: model.Gigabyte}
	_, err := others.CreateVolumeSet(t.Context(), set)
	g.Expect(err).To(refusal(403, "max (developer:acme/test) may not change volume set acme/prod/db: that takes one of the roles operator, developer:acme/prod"))
	_, err = nina.CreateVolumeSet(t.Context(), set)
	g.Expect(err).NotTo(HaveOccurred())

	push := aPush("db", 2)
	push.Spec.Env = map[string]string{"PASSWORD": "sesame"}
	_, err = others.Push(t.Context(), push)
	g.Expect(err).To(refusal(403, "may not change app acme/prod/db"))
	_, err = nina.Push(t.Context(), push)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = others.Scale(t.Context(), named("db"), 1)
	g.Expect(err).To(refusal(403, "may not change"))
	g.Expect(others.DeleteApp(t.Context(), named("db"))).To(refusal(403, "may not change"))
	_, err = others.Logs(t.Context(), named("db"), 0, client.LogOptions{})
	g.Expect(err).To(refusal(403, "may not read the logs of app acme/prod/db"))

	auditor := f.as(t, "ada", "auditor")
	for c, password := range map[*client.Client]string{nina: "sesame", others: "(hidden)", auditor: "(hidden)", f.Client: "sesame"} {
		view, err := c.App(t.Context(), named("db"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(view.Spec.Env).To(HaveKeyWithValue("PASSWORD", password))
		all, err := c.Apps(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(all[0].Spec.Env).To(HaveKeyWithValue("PASSWORD", password))
	}
	g.Expect(f.store.Snapshot().AppNamed(named("db")).Spec.Env).To(HaveKeyWithValue("PASSWORD", "sesame"), "what is hidden is kept")
	g.Expect(f.Events(t.Context(), client.EventQuery{App: "acme/prod/db"})).To(ConsistOf(HaveField("Actor", "nina")))
}

func TestPlansAreForOperators(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2)
	for _, role := range []string{"developer:acme", "auditor", "cell", "scraper"} {
		_, err := f.as(t, "max", role).StartPlan(t.Context(), aPlan("one", "c1"))
		g.Expect(err).To(refusal(403, "may not start or steer plans: that takes the role operator"))
		_, err = f.as(t, "max", role).Abort(t.Context(), "one", "", "")
		g.Expect(err).To(refusal(403, "may not start or steer plan one"))
	}
	_, err := f.as(t, "olga", "operator").StartPlan(t.Context(), client.PlanRequest{By: "somebody else", PlanSpec: aPlan("one", "c1").PlanSpec})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = f.as(t, "otto", "operator").Pause(t.Context(), "one", "somebody else", "lunch")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Plan(t.Context(), "one")).To(HaveField("CreatedBy", "olga"))
	g.Expect(f.Events(t.Context(), client.EventQuery{Plan: "one"})).To(HaveExactElements(HaveField("Actor", "olga"), HaveField("Actor", "otto")),
		"what is kept is who was authenticated, whatever they called themselves")
}

func TestAnswersNeedTheRightToThem(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	f.put(t, aStuck("a"), &model.Stuck{ID: "cell", Kind: model.CellGone, CellID: "c1", FlaggedAt: time.Now(), Answers: []model.Verb{model.Lost, model.Skip}})
	retry := model.Answer{Verb: model.Retry, Reason: "the disk was full", By: "somebody else"}
	_, err := f.as(t, "ada", "auditor").Answer(t.Context(), "a", retry)
	g.Expect(err).To(refusal(403, "ada (auditor) may not answer what is stuck"))
	_, err = f.as(t, "max", "developer:acme/test").Answer(t.Context(), "a", retry)
	g.Expect(err).To(refusal(403, "may not answer a with retry: that takes one of the roles operator, developer:acme/prod"))
	nina := f.as(t, "nina", "developer:acme/prod")
	_, err = nina.Answer(t.Context(), "a", model.Answer{Verb: model.Skip, Reason: "r"})
	g.Expect(err).To(refusal(403, "may not answer a with skip: that takes the role operator"))
	_, err = nina.Answer(t.Context(), "cell", model.Answer{Verb: model.Lost, Reason: "r"})
	g.Expect(err).To(refusal(403, "may not answer cell with lost"))
	g.Expect(f.store.Snapshot().StuckItem("a").Answer).To(BeNil())

	force := model.Answer{Verb: model.Force, Reason: "it hangs", Confirm: []string{"acme/prod/db/3"}}
	stuck, err := nina.Answer(t.Context(), "a", force)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(stuck.Answer.By).To(Equal("nina"))
	g.Expect(f.Events(t.Context(), client.EventQuery{App: "acme/prod/db"})).To(ConsistOf(And(HaveField("Actor", "nina"), HaveField("Reason", "it hangs"))))
}

func TestACellSpeaksForItself(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	one, shared, olga := f.as(t, "c1", "cell:c1"), f.as(t, "mooring-cell", "cell"), f.as(t, "olga", "operator")
	for _, c := range []*client.Client{one, shared} {
		_, err := c.Register(t.Context(), aCell("c1", "z1"))
		g.Expect(err).NotTo(HaveOccurred())
	}
	_, err := one.Register(t.Context(), aCell("c2", "z1"))
	g.Expect(err).To(refusal(403, "c1 (cell:c1) may not speak as cell c2"))
	_, err = olga.Register(t.Context(), aCell("c1", "z1"))
	g.Expect(err).To(refusal(403, "may not speak as cell c1"))
	_, err = one.Work(t.Context(), "c2", 0, time.Second)
	g.Expect(err).To(refusal(403, "may not speak as cell c2"))
	_, err = one.Cells(t.Context())
	g.Expect(err).To(refusal(403, "may not look at cells"))

	// At its gate it asks for leave and watches the plan that decides.
	_, err = one.AskLeave(t.Context(), "c2", client.Leave{Action: model.Reboot})
	g.Expect(err).To(refusal(403, "may not ask at the gate of cell c2"))
	view, err := one.AskLeave(t.Context(), "c1", client.Leave{Action: model.Reboot})
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	g.Expect(one.WatchPlan(ctx, view.Plan, func(client.PlanView) error { cancel(); return nil })).To(MatchError(context.Canceled))
	g.Expect(one.GateOpened(t.Context(), "c1", client.GateOpened{Reason: "INC-1", By: "olga", At: time.Now()})).To(Succeed())
	g.Expect(f.Events(t.Context(), client.EventQuery{CellID: "c1"})).To(ContainElement(And(HaveField("Kind", model.EventGateOpened), HaveField("Actor", "olga (says c1)"))))
}

func TestACellReadsTheAppsThatItsInstancesAreOf(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2)
	for i, name := range []string{"store", "queue", "web"} {
		app := &model.App{GUID: name, Name: named(name), Instances: 2, Spec: model.RunSpec{Env: map[string]string{"PASSWORD": "sesame"}}}
		f.put(t, app, &model.Instance{AppGUID: name, Placement: model.Placement{GUID: name + "-0", CellID: "c" + strconv.Itoa(1+i%2)}})
	}
	// An instance that is being replaced is on both cells.
	f.put(t, &model.Instance{AppGUID: "queue", Index: 1, Placement: model.Placement{GUID: "queue-1", CellID: "c2"}, Next: &model.Placement{GUID: "queue-2", CellID: "c1"}})

	one, shared, olga := f.as(t, "c1", "cell:c1"), f.as(t, "mooring-cell", "cell"), f.as(t, "olga", "operator")
	view, err := one.AppOn(t.Context(), "c1", named("store"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(view.Members).To(ContainElement(And(HaveField("CellID", "c1"), HaveField("Address", "127.83.0.1"))))
	g.Expect(view.Spec.Env).To(HaveKeyWithValue("PASSWORD", "(hidden)"))
	g.Expect(one.AppOn(t.Context(), "c1", named("queue"))).To(HaveField("Name", named("queue")))
	g.Expect(shared.AppOn(t.Context(), "c2", named("queue"))).To(HaveField("Name", named("queue")))

	_, err = shared.AppOn(t.Context(), "c2", named("web"))
	g.Expect(err).To(refusal(404, "no instance of app acme/prod/web is to be on cell c2"))
	_, err = one.AppOn(t.Context(), "c1", named("other"))
	g.Expect(err).To(refusal(404, "no instance of app acme/prod/other is to be on cell c1"), "as if there were no such app")
	_, err = one.AppOn(t.Context(), "c2", named("queue"))
	g.Expect(err).To(refusal(403, "c1 (cell:c1) may not speak as cell c2"))
	_, err = one.App(t.Context(), named("store"))
	g.Expect(err).To(refusal(403, "may not look at app acme/prod/store"))
	_, err = olga.AppOn(t.Context(), "c1", named("store"))
	g.Expect(err).To(refusal(403, "may not speak as cell c1"))
}

func TestWhoCallsIsToldSo(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	g.Expect(f.as(t, "nina", "developer:acme/prod", "auditor").Whoami(t.Context())).To(HaveValue(Equal(
		client.Who{Name: "nina", How: "token", Roles: []string{"developer:acme/prod", "auditor"}})))
	g.Expect(f.Whoami(t.Context())).To(HaveField("How", "local"))
}

// Where callers are believed, they still cannot pass for the system itself.
func TestNobodySignsAsTheSystem(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	wanted := aPlan("one", "c1")
	wanted.By = gateActor
	_, err := f.StartPlan(t.Context(), wanted)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Plan(t.Context(), "one")).To(HaveField("CreatedBy", "gate (a person)"))
}

// handler is the API over a store, without anybody who finds out who calls.
func (f *fixture) handler(t *testing.T, store *state.Store) http.Handler {
	t.Helper()
	handler, err := New(Config{Store: store, LeaseTTL: f.ttl, Probe: f.probe,
		Planner: func(context.Context, *state.Snapshot, model.PlanSpec, []string, time.Time) (*client.Preview, error) {
			answer := f.preview
			return &answer, nil
		},
		Forecast: func(_ *state.Snapshot, plan *model.Plan, now time.Time) *client.Forecast {
			return &client.Forecast{Likely: now.Add(time.Hour), Left: len(plan.Order)}
		}})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return handler
}
