package drill

import (
	"context"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

// soon is how long after its rule is met something stuck is to be flagged.
const soon = 2 * time.Second

// blink is how long it may take to note down that something happened.
const blink = 250 * time.Millisecond

// patience is how long a fleet may take to what nothing is measured of.
const patience = 60 * time.Second

// row is one way of being stuck.
type row struct {
	name    string
	kind    model.StuckKind
	service service
	flags   []string
	// plant makes it go wrong, and starts plan "p"; the result is the cell that
	// it goes wrong on.
	plant func(d *drill) (cell string)
	// met is when the rule was met.
	met func(d *drill, cell string) time.Time
	// early is how much earlier than that it may have been met at most, where
	// nobody sees that to the moment; a little where it is zero.
	early time.Duration
	// owner is whose it is; the service's owner where that is empty.
	owner string
	// ends is the last link of the chain before the person who has to decide.
	ends client.LinkKind
	says string // in that link
	// others: the plan is done with all its other cells meanwhile.
	others bool
	// evidence is what else the alert has to show.
	evidence func(d *drill, alert *model.Stuck)
	// mend takes the fault away.
	mend func(d *drill, alert *model.Stuck)
	// unfinished: the plan cannot end after that.
	unfinished bool
}

// TestEachWayOfBeingStuck plants each on a fleet of its own.
func TestEachWayOfBeingStuck(t *testing.T) {
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.run(newDrill(t, r.service, nil, r.flags...))
		})
	}
}

// TestNoWayOfBeingStuckIsLeftOut holds the drill to the list of what can be
// stuck.
func TestNoWayOfBeingStuckIsLeftOut(t *testing.T) {
	planted := []model.StuckKind{
		model.DirectorBlocks,                       // in director_test.go
		model.InstanceBlocked, model.VolumeUnknown, // in restore_test.go of e2e
	}
	for _, r := range rows() {
		planted = append(planted, r.kind)
	}
	NewWithT(t).Expect(planted).To(ContainElements(model.StuckKinds))
}

func (r row) run(d *drill) {
	g := d.g
	cell := r.plant(d)
	alert, seen := d.flagged(r.kind)
	met := r.met(d, cell)
	late := seen.Sub(met)
	d.t.Logf("flagged %s after its rule was met", late.Round(time.Millisecond))
	g.Expect(late).To(BeNumerically("<=", soon), "it is flagged late")
	g.Expect(alert.FlaggedAt).To(BeTemporally(">=", met.Add(-max(r.early, blink))), "it is flagged before its rule is met")

	r.check(d, alert, cell)
	d.explained(r, cell)
	if r.others {
		g.Eventually(func() int { return len(d.done("p")) }, patience, "100ms").Should(Equal(len(d.plan("p").Rolls)-1), "the other cells are rolled meanwhile")
		g.Expect(d.stuck()).To(HaveLen(1), "and nothing else is stuck")
	}

	r.mend(d, alert)
	g.Eventually(d.stuck, patience, "100ms").Should(BeEmpty(), "it closes by itself")
	if !r.unfinished {
		g.Eventually(func() model.PlanStatus { return d.plan("p").Status }, patience, "100ms").Should(Equal(model.PlanDone))
	}
	d.retold("p")
}

// flagged waits for something to be stuck in a way, and gives when that was
// seen.
func (d *drill) flagged(kind model.StuckKind) (*model.Stuck, time.Time) {
	d.t.Helper()
	var found *model.Stuck
	d.g.Eventually(func() bool {
		items := d.stuck()
		at := slices.IndexFunc(items, func(item model.Stuck) bool { return item.Kind == kind })
		if at >= 0 {
			found = &items[at]
		}
		return at >= 0
	}, 2*patience, "20ms").Should(BeTrue(), "nothing is flagged as %s", kind)
	return found, time.Now()
}

// check holds an alert to what every alert has, and to what is planted.
func (r row) check(d *drill, alert *model.Stuck, cell string) {
	g := d.g
	whose := r.owner
	if whose == "" {
		whose = owner
	}
	g.Expect(alert.CellID).To(Equal(cell))
	g.Expect(alert.AZ).To(MatchRegexp("^z[12]$"))
	d.whole(alert, whose)
	if r.evidence != nil {
		r.evidence(d, alert)
	}
}

// whole holds an alert to what every alert has.
func (d *drill) whole(alert *model.Stuck, whose string) {
	d.t.Helper()
	g := d.g
	g.Expect(alert.Owner).To(Equal(whose))
	g.Expect(alert.What).NotTo(BeEmpty())
	g.Expect(alert.Advice).NotTo(BeEmpty())
	g.Expect(alert.Since).NotTo(BeZero())
	g.Expect(alert.Since).To(BeTemporally("<=", alert.FlaggedAt))
	if alert.Kind != model.CellGone || alert.Plan != "" { // which is stuck with or without a plan
		g.Expect(alert.Plan).NotTo(BeEmpty())
		g.Expect(alert.Phase).NotTo(BeEmpty())
		g.Expect(alert.Blocks).NotTo(BeEmpty())
		if alert.CellID != "" {
			g.Expect(alert.Blocks).To(ContainElement(alert.CellID))
		}
	}
	g.Expect(alert.Answers).NotTo(BeEmpty())
	g.Expect(alert.Effects).To(HaveLen(len(alert.Answers)), "it says what each answer would do")
	for _, volume := range alert.Data {
		for _, verb := range []model.Verb{model.Force, model.Lost} {
			if effect, open := alert.Effects[verb]; open {
				g.Expect(effect).To(ContainSubstring(volume), "the volumes whose data would go are named")
			}
		}
	}
}

// explained holds `moor why` to what was planted, once it says so: what crashes
// again and again is starting now and then.
func (d *drill) explained(r row, cell string) {
	d.t.Helper()
	d.g.Eventually(func(g Gomega) {
		why, err := d.api.WhyCell(context.Background(), cell)
		g.Expect(err).NotTo(HaveOccurred())
		chain := told(why)
		g.Expect(why.Moving).To(BeFalse(), chain)
		last := why.Chain[len(why.Chain)-1]
		g.Expect(last.Kind).To(Equal(client.LinkPerson), chain)
		g.Expect(last.Text).To(ContainSubstring("moor resolve"), chain)
		cause := why.Chain[len(why.Chain)-2]
		g.Expect(cause.Kind).To(Equal(r.ends), chain)
		g.Expect(cause.Text).To(ContainSubstring(r.says), chain)
	}, patience, "100ms").Should(Succeed())
	d.Eventually("moor why "+cell, r.says)
}

// shows waits for what an instance wrote before it crashed to be in an alert: it
// may be flagged before it has, and while it runs again.
func (d *drill) shows(output string) {
	d.t.Helper()
	d.g.Eventually(func() []string {
		var lines []string
		for _, alert := range d.stuck() {
			lines = append(lines, alert.Output...)
		}
		return lines
	}, patience, "20ms").Should(ContainElement(ContainSubstring(output)))
}

// answer does what a person would.
func (d *drill) answer(alert *model.Stuck, answer model.Answer) {
	d.t.Helper()
	answer.Reason, answer.By = "the drill says so", "olga"
	_, err := d.api.Answer(context.Background(), alert.ID, answer)
	d.g.Expect(err).NotTo(HaveOccurred())
}
