package api

import (
	"fmt"
	"net/http"
	"sync"
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
		HaveField("Kind", model.EventStuckAnswered), HaveField("Actor", "olga"), HaveField("Reason", "the disk was full"), HaveField("Plan", "one"), HaveField("Index", HaveValue(Equal(3))),
		HaveField("Answer", HaveValue(And(HaveField("Verb", model.Retry), HaveField("By", "olga")))))))

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

// Of two people who answer at the same time one is first; the other is told by
// whom it was answered, and with what.
func TestOfTwoAnswersAtOnceOneCounts(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.put(t, aStuck("a"))
	answers := []model.Answer{
		{Verb: model.Retry, Reason: "the disk was full", By: "olga"},
		{Verb: model.Wait, For: model.Duration(time.Minute), Reason: "large keys", By: "kim"},
	}
	refused := make([]error, len(answers))
	var both sync.WaitGroup
	for i, answer := range answers {
		both.Go(func() { _, refused[i] = f.Answer(t.Context(), "a", answer) })
	}
	both.Wait()
	first := f.store.Snapshot().StuckItem("a").Answer
	for i, answer := range answers {
		if answer.By == first.By {
			g.Expect(refused[i]).NotTo(HaveOccurred())
		} else {
			g.Expect(refused[i]).To(refusal(http.StatusConflict, fmt.Sprintf("was answered with %s by %s (%q)", first.Verb, first.By, first.Reason)))
		}
	}
}

// The reason of whoever agrees is kept as well.
func TestWhoAnswersAsAnotherDidIsOnRecord(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.put(t, aStuck("a"))
	answer := func(by, reason string) {
		stuck, err := f.Answer(t.Context(), "a", model.Answer{Verb: model.Retry, Reason: reason, By: by})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(stuck.Answer).To(HaveValue(And(HaveField("By", "olga"), HaveField("Reason", "the disk was full"))), "the first one is carried out")
	}
	answer("olga", "the disk was full")
	answer("kim", "the lock is free")
	answer("olga", "the disk was full")
	g.Expect(f.Events(t.Context(), client.EventQuery{Kinds: []string{"stuck"}})).To(HaveExactElements(
		And(HaveField("Kind", model.EventStuckAnswered), HaveField("Actor", "olga")),
		And(HaveField("Kind", model.EventStuckSeconded), HaveField("Actor", "kim"), HaveField("Reason", "the lock is free"), HaveField("App", "acme/prod/db"), HaveField("Text", ContainSubstring("as olga did")))))
}

func TestTheSameAnswerOtherwiseMeantIsAContradiction(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.put(t, aStuck("a"))
	answer := model.Answer{Verb: model.Wait, For: model.Duration(time.Minute), Reason: "large keys", By: "kim"}
	_, err := f.Answer(t.Context(), "a", answer)
	g.Expect(err).NotTo(HaveOccurred())
	answer.For = model.Duration(time.Hour)
	_, err = f.Answer(t.Context(), "a", answer)
	g.Expect(err).To(refusal(http.StatusConflict, "was answered with wait by kim"))
}

func TestWhatIsStuckNoMoreCannotBeAnswered(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	answer := model.Answer{Verb: model.Retry, Reason: "r", By: "olga"}

	recovered := aStuck("a")
	recovered.RecoveredAt = time.Now()
	f.put(t, recovered)
	_, err := f.Answer(t.Context(), "a", answer)
	g.Expect(err).To(refusal(http.StatusConflict, "a moves again since"))

	closed := func(stuck *model.Stuck, text string) {
		tx := f.store.Snapshot().Txn()
		tx.Event(model.Event{At: time.Now(), Kind: model.EventStuckClosed, Actor: "orchestrator", Text: text, Stuck: stuck})
		_, err := f.store.Commit(t.Context(), tx)
		g.Expect(err).NotTo(HaveOccurred())
	}
	closed(aStuck("b"), "b: it moved before that, too")
	closed(aStuck("b"), "b: it moves again")
	f.noise(t, 5001)
	_, err = f.Answer(t.Context(), "b", answer)
	g.Expect(err).To(refusal(http.StatusConflict, "b: it moves again"))

	answered := aStuck("c")
	answered.Answer = &model.Answer{Verb: model.Force, Reason: "agreed with the team", By: "kim", At: time.Now()}
	closed(answered, "c: answered by force")
	_, err = f.Answer(t.Context(), "c", answer)
	g.Expect(err).To(refusal(http.StatusConflict, `c was answered with force by kim ("agreed with the team")`))
}
