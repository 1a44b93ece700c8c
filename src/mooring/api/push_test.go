package api

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/lifecycle"
	"mooring/model"
)

func TestAPushMakesAnAppOfItsVolumeSet(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2).withSet(t, "data", 2)
	pushed, err := f.Push(t.Context(), aPush("data", 6))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pushed).To(And(HaveField("Created", true), HaveField("Rolling", false), HaveField("Warnings", BeEmpty())))
	g.Expect(pushed.App).To(And(HaveField("SpecVersion", 1), HaveField("Instances", 6), HaveField("Spec.Memory", model.DefaultMemory)))

	set, err := f.VolumeSet(t.Context(), named("data"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(set.AppGUID).To(Equal(pushed.App.GUID))
	g.Expect(set.App).To(Equal("acme/prod/data"))
	g.Expect(set.Count).To(Equal(6), "the set follows the app")

	app, err := f.App(t.Context(), named("data"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(app.Limits).To(Equal(lifecycle.Limits{Interrupted: 1, Draining: 1, Disrupted: 1}))
	g.Expect(app.Down).To(Equal(6))
	g.Expect(app.Members).To(HaveLen(6))
	g.Expect(f.Events(t.Context(), client.EventQuery{App: "acme/prod/data"})).To(ConsistOf(HaveField("Kind", model.EventAppPushed)))
}

func TestPushingAgainUpdates(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	push := plain("web", 2)
	first, err := f.Push(t.Context(), push)
	g.Expect(err).NotTo(HaveOccurred())
	revision := f.store.Snapshot().Revision()

	same, err := f.Push(t.Context(), push)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(same).To(And(HaveField("Created", false), HaveField("Rolling", false)))
	g.Expect(f.store.Snapshot().Revision()).To(Equal(revision), "what is so already is not written")

	push.Owner, push.Policy.MaxInterrupted = "team-web", model.Limit{Percent: 50}
	policy, err := f.Push(t.Context(), push)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(policy).To(And(HaveField("Rolling", false), HaveField("App.SpecVersion", 1), HaveField("App.GUID", first.App.GUID)))

	push.Spec.Command = "bin/run2"
	spec, err := f.Push(t.Context(), push)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(spec).To(And(HaveField("Rolling", true), HaveField("App.SpecVersion", 2), HaveField("App.GUID", first.App.GUID), HaveField("App.Owner", "team-web")))
	g.Expect(f.Apps(t.Context())).To(HaveLen(1))
}

func TestPushesThatCannotBeAreRefused(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1).withSet(t, "data", 2).withSet(t, "old", 4)
	_, err := f.Push(t.Context(), aPush("data", 2))
	g.Expect(err).NotTo(HaveOccurred())
	before := f.store.Snapshot().Revision()

	second := aPush("second", 2)
	second.Spec.Mounts[0].VolumeSet = "data"
	missing := aPush("missing", 2)
	drainless := aPush("old", 4)
	drainless.Policy.Drain = nil
	many := aPush("data", 11)
	few := aPush("old", 1)
	moved := aPush("data", 2)
	moved.Spec.Mounts[0].VolumeSet = "old"
	elsewhere := aPush("old", 4)
	elsewhere.Spec.Pool = "gold"
	nameless := plain("", 1)
	nameless.Name = named("Web")
	idle := plain("web", 1)
	idle.Spec.Command = ""
	for text, push := range map[string]client.Push{
		"belongs to another application":           second,
		"there is no volume set acme/prod/missing": missing,
		`"drain: none"`:                            drainless,
		"cannot grow with the app: 11 volumes":     many,
		"more than the 1 instances":                few,
		"an app keeps the volume sets":             moved,
		"is not a name":                            nameless,
		"in pool default, the app in pool gold":    elsewhere,
		"command":                                  idle,
	} {
		_, err := f.Push(t.Context(), push)
		g.Expect(err).To(refusal(http.StatusUnprocessableEntity, text))
	}
	g.Expect(f.store.Snapshot().Revision()).To(Equal(before), "what is refused changes nothing")

	disposable := aPush("old", 4)
	disposable.Policy.Drain, disposable.Policy.DataDisposable = nil, true
	_, err = f.Push(t.Context(), disposable)
	g.Expect(err).NotTo(HaveOccurred())
}

func TestAPolicyOfNeverIsAcceptedLoudly(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	push := plain("web", 2)
	push.Policy.MaxInterrupted = model.Limit{}
	push.Policy.MaxDraining = model.Limit{}
	pushed, err := f.Push(t.Context(), push)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pushed.Warnings).To(ContainElement(ContainSubstring("no cell with one can ever be rolled")))
	g.Expect(f.App(t.Context(), push.Name)).To(HaveField("Warnings", Not(BeEmpty())))
}

func TestRequestsOfTheWrongShapeAreRefused(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	for body, text := range map[string]string{
		`{"org":"acme","space":"prod","name":"web","instances":1,"spec":{"command":"x","memory":"1G","health":{}},"lifecycle":{"max_interrupted":1,"max_draining":"50%"},"instanses":3}`: "unexpected property",
		`{"org":"acme","space":"prod","name":"web","instances":-1,"spec":{"command":"x","memory":"1G","health":{}},"lifecycle":{"max_interrupted":1,"max_draining":1}}`:                  "body.instances",
		`{"org":"acme","space":"prod","name":"web","instances":1,"spec":{"command":"x","memory":"256","health":{}},"lifecycle":{"max_interrupted":1,"max_draining":1}}`:                  "no unit",
		`{"org":"acme","space":"prod","name":"web","instances":1,"spec":{"command":"x","memory":"1G","health":{}},"lifecycle":{"max_interrupted":-1,"max_draining":1}}`:                  "max_interrupted",
		`not json`: "body",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, f.url+"/v1/apps/acme/prod/web", strings.NewReader(body))
		g.Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		g.Expect(err).NotTo(HaveOccurred())
		defer response.Body.Close()
		g.Expect(response.StatusCode).To(BeElementOf(http.StatusUnprocessableEntity, http.StatusBadRequest), body)
		g.Expect(response.Header.Get("Content-Type")).To(Equal("application/problem+json"))
		g.Expect(response).To(HaveHTTPBody(ContainSubstring(text)))
	}
	g.Expect(f.Apps(t.Context())).To(BeEmpty())
}

func TestScalingScalesTheVolumeSetsToo(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1).withSet(t, "data", 2)
	_, err := f.Scale(t.Context(), named("data"), 3)
	g.Expect(err).To(refusal(http.StatusNotFound, "no app acme/prod/data"))
	_, err = f.Push(t.Context(), aPush("data", 2))
	g.Expect(err).NotTo(HaveOccurred())
	for _, n := range []int{5, 1, 0} {
		scaled, err := f.Scale(t.Context(), named("data"), n)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(scaled.App.Instances).To(Equal(n))
		g.Expect(scaled.App.SpecVersion).To(Equal(1), "no instance restarts for it")
		g.Expect(f.VolumeSet(t.Context(), named("data"))).To(HaveField("Count", n))
	}
	_, err = f.Scale(t.Context(), named("data"), -1)
	g.Expect(err).To(refusal(http.StatusUnprocessableEntity, "instances"))
	_, err = f.Scale(t.Context(), named("data"), 11)
	g.Expect(err).To(refusal(http.StatusUnprocessableEntity, "room for 10"))
}

func TestADeletedAppIsGoneForPushes(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	_, err := f.Push(t.Context(), plain("web", 2))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.DeleteApp(t.Context(), named("web"))).To(Succeed())
	g.Expect(f.DeleteApp(t.Context(), named("web"))).To(Succeed(), "twice is no error")
	_, err = f.Push(t.Context(), plain("web", 2))
	g.Expect(err).To(refusal(http.StatusConflict, "being deleted"))
	_, err = f.Scale(t.Context(), named("web"), 1)
	g.Expect(err).To(refusal(http.StatusConflict, "being deleted"))
	g.Expect(f.DeleteApp(t.Context(), named("nothing"))).To(refusal(http.StatusNotFound, "no app"))
}

// Whoever pushes at the same time, a name is one app and a set has one app.
func TestPushesDoNotRace(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1).withSet(t, "data", 1)
	var pushing sync.WaitGroup
	for i := range 8 {
		pushing.Go(func() {
			push := aPush("data", 1)
			push.Name = named(fmt.Sprint("app-", i%4))
			_, err := f.Push(t.Context(), push)
			if err != nil && !client.HasStatus(err, http.StatusUnprocessableEntity) {
				t.Error(err)
			}
		})
	}
	pushing.Wait()
	apps, err := f.Apps(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(apps).To(HaveLen(1))
	g.Expect(f.VolumeSet(t.Context(), named("data"))).To(HaveField("AppGUID", apps[0].GUID))

	for i := range 8 {
		pushing.Go(func() {
			push := plain("web", 1)
			push.Owner = fmt.Sprint("team-", i)
			if _, err := f.Push(t.Context(), push); err != nil {
				t.Error(err)
			}
		})
	}
	pushing.Wait()
	g.Expect(f.Apps(t.Context())).To(HaveLen(2))
}

func TestAPolicyIsExplained(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1).withSet(t, "data", 4)
	push := aPush("data", 4)
	push.Policy.MaxInterrupted = model.Limit{Percent: 50}
	check, err := f.CheckPolicy(t.Context(), push)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(check.Faults).To(BeEmpty())
	g.Expect(check.Limits).To(Equal(lifecycle.Limits{Interrupted: 2, Draining: 1, Disrupted: 2}))
	g.Expect(check.Actions).To(HaveLen(4))
	g.Expect(check.Actions[2]).To(And(HaveField("Action", model.Recreate), HaveField("Kind", model.Interrupt), HaveField("Limit", 2), HaveField("Text", ContainSubstring("same cell"))))
	g.Expect(check.Actions[3]).To(And(HaveField("Action", model.Retire), HaveField("Kind", model.Drain), HaveField("Limit", 1), HaveField("Text", ContainSubstring("at most 1 of 4 at once"))))

	push.Policy.Drain, push.Policy.MaxInterrupted = nil, model.Limit{}
	check, err = f.CheckPolicy(t.Context(), push)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(check.Faults).To(ContainElement(ContainSubstring("drain: none")))
	g.Expect(check.Actions[0].Text).To(ContainSubstring("never allowed"))
	g.Expect(check.Warnings).NotTo(BeEmpty())

	check, err = f.CheckPolicy(t.Context(), plain("web", 2))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(check.Actions[0]).To(And(HaveField("Replace", true), HaveField("Limit", -1)))
	g.Expect(f.Apps(t.Context())).To(BeEmpty(), "nothing is changed")
}
