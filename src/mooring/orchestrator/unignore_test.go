package orchestrator

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/host"
	"mooring/model"
	"mooring/state/statetest"
)

// unignoring is a Director that is asked for nothing else.
type unignoring struct {
	host.Director
	asked chan []string
}

func (u *unignoring) Unignore(ctx context.Context, _, _ string, ids []string, say func(string)) error {
	say("no route to host")
	select {
	case u.asked <- ids:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (u *unignoring) WatchTask(ctx context.Context, _ string, _ func(string), _ func(map[string]model.HostTask)) (string, error) {
	<-ctx.Done()
	return "", context.Cause(ctx)
}

// Whoever led before was gone before BOSH could be told, and the plan is over.
func TestWhoeverLeadsHasBOSHIgnoreNothingForLonger(t *testing.T) {
	g := NewWithT(t)
	store := statetest.Open(t, statetest.Prefix())
	records := group(model.RollDone, model.RollSkipped)
	plan := records[0].(*model.Plan)
	plan.Status = model.PlanDone
	plan.Converging = &model.Converging{Begun: true, Ended: model.ConvergingDone, Passes: []string{"c1", "c2"}, Ignored: []string{"c2"}}
	tx := store.Snapshot().Txn()
	tx.Put(plan)
	_, err := store.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())
	lead, err := store.Lead(t.Context(), "orchestrator", "test")
	g.Expect(err).NotTo(HaveOccurred())

	director := &unignoring{asked: make(chan []string)}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, store, lead, Config{Director: director}) }()
	converging := func() *model.Converging { return store.Snapshot().Plan("p").Converging }
	g.Eventually(func() string { return converging().StillIgnored }, "10s").Should(Equal("no route to host"))
	g.Eventually(func() *model.Stuck { return store.Snapshot().StuckItem("p.director") }, "10s").ShouldNot(BeNil())
	g.Eventually(director.asked, "10s").Should(Receive(Equal([]string{"c2"})))
	g.Eventually(converging, "10s").Should(And(HaveField("Ignored", BeEmpty()), HaveField("StillIgnored", "")))
	g.Eventually(func() *model.Stuck { return store.Snapshot().StuckItem("p.director") }, "10s").Should(BeNil())
	stop()
	g.Eventually(ended, "10s").Should(Receive())
}
