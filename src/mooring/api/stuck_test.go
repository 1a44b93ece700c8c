package api

import (
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

func aStuck(id string) *model.Stuck {
	app := named("db")
	return &model.Stuck{
		ID: id, Kind: model.HandlerHung, What: "The interrupt handler of acme/prod/db/3 hangs.", App: &app, AppGUID: "app", Index: 3,
		Plan: "one", CellID: "c1", FlaggedAt: time.Now(), Data: []string{"acme/prod/db/3"}, Answers: []model.Verb{model.Wait, model.Retry, model.Force},
	}
}

func TestAnAnswerIsKeptWithItsReason(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	later, sooner := aStuck("a"), aStuck("b")
	later.FlaggedAt = later.FlaggedAt.Add(time.Minute)
	f.put(t, later, sooner)
	g.Expect(f.Stuck(t.Context())).To(HaveExactElements(HaveField("ID", "b"), HaveField("ID", "a")), "in the order they were flagged")

	answer := model.Answer{Verb: model.Retry, Reason: "the disk was full", By: "olga"}
	stuck, err := f.Answer(t.Context(), "a", answer)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(stuck.Answer).To(HaveValue(And(HaveField("Verb", model.Retry), HaveField("Reason", "the disk was full"), HaveField("By", "olga"), HaveField("At", Not(BeZero())))))
	g.Expect(f.store.Snapshot().StuckItem("a").Answer).NotTo(BeNil())
	g.Expect(f.Events(t.Context(), client.EventQuery{App: "acme/prod/db"})).To(ConsistOf(And(
		HaveField("Kind", "stuck.answered"), HaveField("Actor", "olga"), HaveField("Reason", "the disk was full"), HaveField("Plan", "one"), HaveField("Index", HaveValue(Equal(3))))))

	_, err = f.Answer(t.Context(), "a", answer)
	g.Expect(err).NotTo(HaveOccurred(), "the same again is no contradiction")
	_, err = f.Answer(t.Context(), "a", model.Answer{Verb: model.Wait, For: model.Duration(time.Minute), Reason: "no, wait"})
	g.Expect(err).To(refusal(http.StatusConflict, "was answered with retry by olga"))
}

func TestAnswersThatCannotBeAreRefused(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.put(t, aStuck("a"))
	for text, answer := range map[string]model.Answer{
		"reason":                      {Verb: model.Retry},
		"skip is no answer to this":   {Verb: model.Skip, Reason: "r"},
		"how much longer":             {Verb: model.Wait, Reason: "r"},
		"repeat that name":            {Verb: model.Force, Reason: "r"},
		"is not among the data":       {Verb: model.Force, Reason: "r", Confirm: []string{"acme/prod/db/3", "acme/prod/db/4"}},
		"expected value to be one of": {Verb: "shrug", Reason: "r"},
	} {
		_, err := f.Answer(t.Context(), "a", answer)
		g.Expect(err).To(refusal(http.StatusUnprocessableEntity, text))
	}
	_, err := f.Answer(t.Context(), "b", model.Answer{Verb: model.Retry, Reason: "r"})
	g.Expect(err).To(refusal(http.StatusNotFound, "may have moved again"))
	g.Expect(f.store.Snapshot().StuckItem("a").Answer).To(BeNil())

	_, err = f.Answer(t.Context(), "a", model.Answer{Verb: model.Force, Reason: "r", Confirm: []string{"acme/prod/db/3"}})
	g.Expect(err).NotTo(HaveOccurred())
}
