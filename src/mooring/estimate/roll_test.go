package estimate_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/estimate"
	"mooring/model"
)

func app(guid string) *model.App {
	return &model.App{GUID: guid, Policy: model.Policy{
		Interrupt: &model.Handler{Command: "bye"}, Drain: &model.Handler{Command: "move"}, HealthyFor: model.Duration(10 * time.Second),
	}}
}

// measured remembers hosts that are away for two minutes, an app that is quick
// and one that is slow.
func measured() memory {
	m := memory{}
	m.learn(model.Hosts, away, noon, repeat(60, 2*time.Minute)...)
	for guid, unit := range map[string]time.Duration{"quick": time.Second, "slow": time.Minute} {
		m.learn(guid, estimate.Handler(model.Interrupt), noon, repeat(32, unit)...)
		m.learn(guid, estimate.Handler(model.Drain), noon, repeat(32, 10*unit)...)
		m.learn(guid, estimate.Return, noon, repeat(32, unit)...)
		m.learn(guid, estimate.Move, noon, repeat(32, unit)...)
	}
	return m
}

func TestARollIsTheSumOfItsPhasesAndTheLongestInEach(t *testing.T) {
	known := measured().known(noon, time.Time{})
	for name, row := range map[string]struct {
		with func(*estimate.Roll)
		want time.Duration
	}{
		"nothing on it":     {func(*estimate.Roll) {}, 2 * time.Minute},
		"one interrupt":     {func(r *estimate.Roll) { r.Interrupt(app("quick")) }, 132 * time.Second},
		"two at once":       {func(r *estimate.Roll) { r.Interrupt(app("quick")); r.Interrupt(app("slow")) }, 250 * time.Second},
		"a drain goes by":   {func(r *estimate.Roll) { r.Drain(app("quick"), 1) }, 130 * time.Second},
		"a drain, a stay":   {func(r *estimate.Roll) { r.Drain(app("slow"), 1); r.Interrupt(app("slow")) }, 850 * time.Second},
		"a move, no return": {func(r *estimate.Roll) { r.Move(app("slow"), 1) }, 3 * time.Minute},
		"moves at once":     {func(r *estimate.Roll) { moves(r, 3, 0) }, 3 * time.Minute},
		"moves in steps":    {func(r *estimate.Roll) { moves(r, 3, 1) }, 440 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			roll := known.Roll(model.Recreate)
			row.with(roll)
			got := roll.Range()
			g.Expect(got.Half).To(BeNumerically("~", row.want, row.want/20))
			g.Expect(got.Short).To(BeNumerically("<", got.Half))
			g.Expect(got.Most).To(And(BeNumerically(">", got.Half), BeNumerically("<", row.want*5/4)))
		})
	}
}

// moves has some instances of the slow app move, at most so many at once. Each
// is away for 130 s.
func moves(r *estimate.Roll, n, atOnce int) {
	for range n {
		r.Move(app("slow"), atOnce)
	}
}

func TestWhatLeavesSpendsItsBudgetUntilItServesElsewhere(t *testing.T) {
	known := measured().known(noon, time.Time{})
	for name, row := range map[string]struct {
		with       func(*estimate.Roll)
		back, away time.Duration
	}{
		"a move":           {func(r *estimate.Roll) { moves(r, 1, 1) }, 130, 130},
		"three in turn":    {func(r *estimate.Roll) { moves(r, 3, 1) }, 390, 390},
		"two, then one":    {func(r *estimate.Roll) { moves(r, 3, 2) }, 260, 195},
		"three at once":    {func(r *estimate.Roll) { moves(r, 3, 0) }, 130, 130},
		"after all drains": {func(r *estimate.Roll) { moves(r, 1, 1); r.Drain(app("quick"), 1); r.Interrupt(app("quick")) }, 140, 130},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			roll := known.Roll(model.Recreate)
			row.with(roll)
			_, spells := roll.Mean()
			spell := spells[roll.Leaver(app("slow").GUID, model.Interrupt)]
			g.Expect(spell.Back).To(BeNumerically("~", row.back*time.Second, row.back*time.Second/15))
			g.Expect(spell.Away).To(BeNumerically("~", row.away*time.Second, row.away*time.Second/15))
		})
	}
	g := NewWithT(t)
	roll := known.Roll(model.Recreate)
	roll.Interrupt(app("slow"))
	g.Expect(roll.Leaver(app("slow").GUID, model.Interrupt)).To(Equal(-1), "what stays is down with its cell")
	g.Expect(roll.Draw("c1").Spells).To(BeNil())
}

func TestRollsOfTheSameAreExpectedToTakeTheSame(t *testing.T) {
	g := NewWithT(t)
	known := measured().known(noon, time.Time{})
	one, other := known.Roll(model.Recreate), known.Roll(model.Recreate)
	for _, guid := range []string{"slow", "unheard of", "quick"} {
		one.Interrupt(app(guid))
		other.Interrupt(app(guid))
	}
	g.Expect(one.Range()).To(Equal(other.Range()))
	g.Expect(one.Draw("c1")).NotTo(Equal(other.Draw("c2")), "each has its own chances")
	g.Expect(one.Draw("c1")).To(Equal(other.Draw("c1")))
}

func TestAHandlerTakesNoLongerThanItMay(t *testing.T) {
	g := NewWithT(t)
	bounded := app("unheard of")
	bounded.Policy.Interrupt.Timeout = model.Duration(time.Second)
	g.Expect(memory{}.known(noon, time.Time{}).Handler(bounded, model.Interrupt).Half()).To(BeNumerically("<=", time.Second))
}

func TestWhatCameTrueIsCounted(t *testing.T) {
	g := NewWithT(t)
	foreseen := estimate.Range{Half: time.Minute, Most: 2 * time.Minute}.Foreseen()
	var tally model.Tally
	for _, truth := range []time.Duration{30, 60, 61, 120, 121} {
		tally = estimate.Count(tally, foreseen, truth*time.Second)
	}
	g.Expect(tally).To(Equal(model.Tally{Early: 2, Within: 2, Late: 1}))
	g.Expect(estimate.Count(tally, model.Foreseen{}, time.Hour)).To(Equal(tally), "nobody foresaw anything")
}

func TestARollUnderWayTakesWhatIsLeftOfIt(t *testing.T) {
	known := measured().known(noon, time.Time{})
	for name, row := range map[string]struct {
		phase model.Phase
		spent time.Duration
		want  time.Duration
	}{
		"just cordoned":                    {model.Cordoned, 0, 850 * time.Second},
		"half through its drain":           {model.Draining, 5 * time.Minute, 550 * time.Second},
		"drained":                          {model.Interrupting, 0, 250 * time.Second},
		"its host has just gone":           {model.Acting, 0, 190 * time.Second},
		"its host has been away for a bit": {model.Returning, time.Minute, 130 * time.Second},
		"its host is late":                 {model.Returning, 4 * time.Minute, 94 * time.Second},
		"back":                             {model.Settling, 0, 70 * time.Second},
		"soon to serve":                    {model.Settling, time.Minute, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			roll := known.Roll(model.Recreate)
			if row.phase == model.Cordoned || row.phase == model.Draining {
				roll.Drain(app("slow"), 0) // afterwards it is gone
			}
			roll.Interrupt(app("slow"))
			roll.UnderWay(row.phase, row.spent)
			got := roll.Range()
			g.Expect(got.Half).To(BeNumerically("~", row.want, max(row.want/20, 5*time.Second)))
			g.Expect(got.Short).To(BeNumerically(">=", 0))
			g.Expect(got.Most).To(BeNumerically(">=", got.Half))
		})
	}
}

// TestWhatHasTakenLongTakesLonger: of durations that differ much, those that
// are shorter than what has passed say nothing any more.
func TestWhatHasTakenLongTakesLonger(t *testing.T) {
	g := NewWithT(t)
	m := memory{}
	m.learn(model.Hosts, away, noon, repeat(30, time.Minute)...)
	m.learn(model.Hosts, away, noon, repeat(30, 10*time.Minute)...)
	left := func(spent time.Duration) time.Duration {
		roll := m.known(noon, time.Time{}).Roll(model.Recreate)
		roll.UnderWay(model.Acting, spent)
		return roll.Range().Half
	}
	g.Expect(left(2 * time.Minute)).To(BeNumerically("~", 8*time.Minute, time.Minute))
	g.Expect(left(8 * time.Minute)).To(BeNumerically("~", 2*time.Minute, time.Minute))
	g.Expect(left(time.Hour)).To(BeNumerically("~", 6*time.Minute, time.Second), "nobody knows")
}
