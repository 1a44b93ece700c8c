package estimate_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/estimate"
	"mooring/model"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// memory is what was measured, by subject.
type memory map[string]*model.Durations

func (m memory) learn(subject string, step estimate.Step, at time.Time, took ...time.Duration) {
	for _, t := range took {
		m[subject] = estimate.Learn(m[subject], subject, step, t, at)
	}
}

func (m memory) known(now, since time.Time) *estimate.Known {
	return estimate.New(func(subject string) *model.Durations { return m[subject] }, now, since)
}

// repeat gives n durations that lie a tenth around one.
func repeat(n int, took time.Duration) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = took * time.Duration(95+i*10/n) / 100
	}
	return out
}

func (m memory) away(now, since time.Time) *estimate.Dist {
	return m.known(now, since).Host(model.Recreate, estimate.Away)
}

var away = estimate.Host(model.Recreate, estimate.Away)

func TestSamplesOverruleThePrior(t *testing.T) {
	g := NewWithT(t)
	m := memory{}
	g.Expect(m.known(noon, time.Time{}).Measured(model.Recreate)).To(BeFalse())
	g.Expect(m.away(noon, time.Time{}).Half()).To(BeNumerically("~", 5*time.Minute, time.Second))

	m.learn(model.Hosts, away, noon, time.Minute)
	g.Expect(m.away(noon, time.Time{}).Half()).To(BeNumerically("<", 2*time.Minute), "one says more than a guess")
	m.learn(model.Hosts, away, noon, repeat(20, time.Minute)...)
	g.Expect(m.away(noon, time.Time{}).Half()).To(BeNumerically("~", time.Minute, 5*time.Second))
	g.Expect(m.known(noon, time.Time{}).Measured(model.Recreate)).To(BeTrue())
	g.Expect(m.known(noon, time.Time{}).Measured(model.Reboot)).To(BeFalse())
}

func TestOldSamplesFade(t *testing.T) {
	g := NewWithT(t)
	m := memory{}
	m.learn(model.Hosts, away, noon.AddDate(0, -6, 0), repeat(20, 10*time.Minute)...)
	m.learn(model.Hosts, away, noon, repeat(10, 2*time.Minute)...)
	g.Expect(m.away(noon, time.Time{}).Half()).To(BeNumerically("<", 150*time.Second), "twenty old ones against ten new")
}

func TestAPlansOwnSamplesCountMost(t *testing.T) {
	g := NewWithT(t)
	m := memory{}
	m.learn(model.Hosts, away, noon.Add(-24*time.Hour), repeat(40, 10*time.Minute)...)
	m.learn(model.Hosts, away, noon.Add(time.Hour), repeat(12, 2*time.Minute)...)
	now := noon.Add(time.Hour)
	g.Expect(m.away(now, time.Time{}).Half()).To(BeNumerically(">", 8*time.Minute))
	g.Expect(m.away(now, noon).Half()).To(BeNumerically("<", 150*time.Second))
}

func TestOutliersMoveNothing(t *testing.T) {
	g := NewWithT(t)
	m := memory{}
	m.learn(model.Hosts, away, noon, repeat(40, 2*time.Minute)...)
	before := m.known(noon, time.Time{})
	m.learn(model.Hosts, away, noon, 9*time.Hour, 9*time.Hour)
	after := m.known(noon, time.Time{})
	g.Expect(after.Host(model.Recreate, estimate.Away).Half()).To(BeNumerically("~", before.Host(model.Recreate, estimate.Away).Half(), 2*time.Second))
	g.Expect(after.Patience(model.Recreate, estimate.Away)).To(BeNumerically("<", 5*time.Minute))
}

func TestPatienceComesDownAsSamplesCome(t *testing.T) {
	g := NewWithT(t)
	m := memory{}
	patience := func() time.Duration { return m.known(noon, time.Time{}).Patience(model.Recreate, estimate.Away) }
	g.Expect(patience()).To(Equal(30 * time.Minute))
	m.learn(model.Hosts, away, noon, repeat(4, 2*time.Minute)...)
	g.Expect(patience()).To(Equal(30*time.Minute), "four are too few to know")
	m.learn(model.Hosts, away, noon, 2*time.Minute)
	few := patience()
	g.Expect(few).To(And(BeNumerically(">", 3*time.Minute), BeNumerically("<", 30*time.Minute)))
	m.learn(model.Hosts, away, noon, repeat(40, 2*time.Minute)...)
	g.Expect(patience()).To(And(BeNumerically("<", few), BeNumerically(">", 130*time.Second)))

	m.learn(model.Hosts, estimate.Host(model.Restart, estimate.Away), noon, repeat(20, time.Second)...)
	g.Expect(m.known(noon, time.Time{}).Patience(model.Restart, estimate.Away)).To(Equal(30*time.Second), "nobody is woken for less")
}

func TestOnlyTheNewestAreKept(t *testing.T) {
	g := NewWithT(t)
	m := memory{}
	m.learn("app", estimate.Return, noon, repeat(100, time.Hour)...)
	before := m["app"]
	m.learn("app", estimate.Return, noon, time.Second)
	kept := m["app"].Samples[string(estimate.Return)]
	g.Expect(kept).To(HaveLen(32))
	g.Expect(kept[31].Took()).To(Equal(time.Second))
	g.Expect(before.Samples[string(estimate.Return)][31].Took()).NotTo(Equal(time.Second), "what was known is not changed")
}
