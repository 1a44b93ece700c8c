package drill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/dev/devtest"
	"mooring/director/fakedirector"
	"mooring/model"
)

// bosh is a drill whose hosts are the VMs of a fake Director.
type bosh struct {
	*drill
	*fakedirector.Director

	mu sync.Mutex
	// olga's own deploys stop no cell; hold keeps one of them from ending.
	hold chan struct{}
	fail map[string]bool // VMs that cannot be made, by cell
	// stall keeps the first cell that has leave from being stopped, stalled
	// names it.
	stall   chan struct{}
	stalled string
	// failedAt is when one last could not.
	failedAt time.Time
}

func newBosh(t *testing.T) *bosh {
	b := &bosh{fail: map[string]bool{}}
	cfg := fakedirector.Config{Deployment: "mooring", Group: "cell", AZs: []string{"z1"}, User: "moor", Password: "secret"}
	for i := range 3 {
		id := fmt.Sprintf("cell-%d", i)
		cfg.Instances = append(cfg.Instances, &fakedirector.Instance{ID: id, AZ: "z1", Index: i, Bootstrap: i == 0, VM: fakedirector.VM{
			PreStop:   func(ctx context.Context, env []string) error { return b.gate(ctx, id, "leave", env) },
			Act:       func(action string) error { return b.act(id, action) },
			PostStart: func(ctx context.Context) error { return b.gate(ctx, id, "return", nil) },
		}})
	}
	b.Director = fakedirector.New(cfg)
	b.drill = newDrill(t, steady("timeout: 60s, progress_timeout: 1s"), devtest.ServeDirector(t, b.Director), oneZone...)
	t.Cleanup(b.Close)
	return b
}

func (b *bosh) olgas() chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hold
}

// holds has olga hold the deployment; the result lets it go.
func (b *bosh) holds() (release func()) {
	b.t.Helper()
	hold := make(chan struct{})
	b.mu.Lock()
	b.hold = hold
	b.mu.Unlock()
	task := b.Deploy(fakedirector.Update{Action: "restart", MaxInFlight: "1", User: "olga"})
	b.g.Eventually(func() string { state, _ := b.State(task); return state }).Should(Equal("processing"))
	return func() {
		close(hold)
		b.g.Expect(b.Wait(b.t.Context(), task)).To(Succeed())
		b.mu.Lock()
		defer b.mu.Unlock()
		b.hold = nil
	}
}

func (b *bosh) gate(ctx context.Context, cell, step string, env []string) error {
	if hold := b.olgas(); hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
		}
		return nil
	}
	cmd := exec.CommandContext(ctx, devtest.Moor(), "gate", step, "--cell", cell, "--dir", filepath.Join(b.Dir, "gate", cell))
	cmd.Env = append(append(os.Environ(), "MOORING_API="+b.URL, "MOORING_DEPLOYMENT=mooring"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func (b *bosh) act(cell, action string) error {
	if b.olgas() != nil {
		return nil
	}
	b.mu.Lock()
	failing := b.fail[cell]
	stall := b.stall
	if stall != nil && (b.stalled == "" || b.stalled == cell) {
		b.stalled = cell
	} else {
		stall = nil
	}
	if failing {
		b.failedAt = time.Now()
	}
	b.mu.Unlock()
	if stall != nil {
		<-stall
	}
	if failing {
		if action == fakedirector.Recreate { // the old one is deleted by then
			_, _ = b.Sh("moor dev host halt " + cell)
		}
		return errors.New("no hypervisor has room for the VM")
	}
	_, err := b.Sh("moor dev host " + action + " " + cell)
	return err
}

// held says how late an alert about the Director is, and holds it to what
// every one of them has.
func (b *bosh) held(met time.Time, says string) *model.Stuck {
	b.t.Helper()
	alert, seen := b.flagged(model.DirectorBlocks)
	b.t.Logf("%s: flagged %s after its rule was met", says, seen.Sub(met).Round(time.Millisecond))
	b.g.Expect(seen.Sub(met)).To(BeNumerically("<=", soon))
	b.whole(alert, operators)
	b.g.Expect(alert.Error).To(ContainSubstring(says))
	return alert
}

// lastLink gives the end of a chain.
func lastLink(why *client.Why) client.Link { return why.Chain[len(why.Chain)-1] }

func TestTheDirectorIsHeldBySomebodyElse(t *testing.T) {
	t.Parallel()
	b := newBosh(t)
	g := b.g
	release := b.holds()
	b.roll("p", "cells: all\naction: restart\nvia: {bosh: {deployment: mooring, instance_group: cell}}")

	alert := b.held(b.planned, "olga")
	g.Expect(alert.Plan).To(Equal("p"))
	g.Expect(alert.Blocks).To(ConsistOf("cell-0", "cell-1", "cell-2"))
	for _, subject := range []string{"p", "cell-1"} {
		g.Expect(b.Must("moor why " + subject)).To(ContainSubstring("olga"))
	}
	why, err := b.api.WhyPlan(t.Context(), "p")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(lastLink(why)).To(And(HaveField("Kind", client.LinkLock), HaveField("Text", ContainSubstring("olga"))), told(why))

	release()
	g.Eventually(func() []string { return b.done("p") }, patience, "100ms").Should(HaveLen(3))
	g.Eventually(b.stuck, patience, "100ms").Should(BeEmpty(), "it closes by itself")

	// For chosen cells too, of which each stands quiet while it waits.
	release = b.holds()
	b.roll("q", "cells: [cell-1]\naction: restart\nvia: {bosh: {deployment: mooring, instance_group: cell}}")
	g.Eventually(func() bool { return len(b.stuck()) > 0 }, patience, "10ms").Should(BeTrue())
	alert = b.held(b.entered("q", "cell-1", model.Acting), "olga")
	g.Expect(alert.CellID).To(Equal("cell-1"))
	g.Expect(alert.Phase).To(Equal(model.Acting))
	g.Expect(b.Must("moor why cell-1")).To(ContainSubstring("olga"))
	release()
	g.Eventually(func() []string { return b.done("q") }, patience, "100ms").Should(HaveLen(1))
	g.Eventually(b.stuck, patience, "100ms").Should(BeEmpty(), "it closes by itself")
}

func TestTheDirectorIsOutOfReach(t *testing.T) {
	t.Parallel()
	b := newBosh(t)
	g := b.g
	release := b.holds()
	b.roll("p", "cells: all\naction: restart\nvia: {bosh: {deployment: mooring, instance_group: cell}}")
	b.held(b.planned, "olga")
	b.Cut(true)
	cut := time.Now()
	g.Eventually(func() string { return b.stuck()[0].Error }, patience, "20ms").ShouldNot(ContainSubstring("olga"))
	// It is out of reach once it has not answered for half a minute of trying;
	// it is tried every three seconds.
	b.held(cut.Add(33*time.Second), "calling the Director")
	g.Expect(b.Must("moor why p")).To(ContainSubstring("calling the Director"))

	b.Cut(false)
	release()
	g.Eventually(func() []string { return b.done("p") }, patience, "100ms").Should(HaveLen(3))
	g.Eventually(b.stuck, patience, "100ms").Should(BeEmpty(), "it closes by itself")
}

// failedOn waits until it is flagged, in time and to cloud ops, that BOSH failed
// on a cell.
func (b *bosh) failedOn(cell string) *model.Stuck {
	b.t.Helper()
	alert, seen := b.flagged(model.ActionFailed)
	late := seen.Sub(b.failed())
	b.t.Logf("flagged %s after BOSH failed", late.Round(time.Millisecond))
	b.g.Expect(late).To(BeNumerically("<=", soon))
	b.g.Expect(alert.CellID).To(Equal(cell))
	b.whole(alert, operators)
	return alert
}

func TestATaskOfTheDirectorFails(t *testing.T) {
	t.Parallel()
	b := newBosh(t)
	g := b.g
	b.failing("cell-1", true)
	b.roll("p", "cells: [cell-0, cell-1, cell-2]\naction: restart\nvia: {bosh: {deployment: mooring, instance_group: cell}}")

	alert := b.failedOn("cell-1")
	g.Expect(alert.Error).To(ContainSubstring("no hypervisor has room for the VM"))
	g.Expect(b.Must("moor why cell-1")).To(ContainSubstring("no hypervisor has room for the VM"))

	b.failing("cell-1", false)
	b.answer(alert, model.Answer{Verb: model.Retry})
	g.Eventually(func() []string { return b.done("p") }, patience, "100ms").Should(HaveLen(3))
	g.Eventually(b.stuck, patience, "100ms").Should(BeEmpty(), "it closes by itself")
}

func TestATaskOfTheDirectorFailsOnOneOfManyInFlight(t *testing.T) {
	t.Parallel()
	b := newBosh(t)
	g := b.g
	b.failing("cell-0", true)
	b.roll("p", "cells: all\naction: recreate\nvia: {bosh: {deployment: mooring, instance_group: cell}}")

	alert := b.failedOn("cell-0")
	g.Expect(alert.Error).To(And(ContainSubstring("BOSH task 1"), ContainSubstring("no hypervisor has room for the VM")))
	g.Expect(alert.Blocks).To(ConsistOf("cell-0", "cell-1", "cell-2"), "they stand at their gates for what it spends")
	for _, cell := range alert.Blocks {
		why, err := b.api.WhyCell(context.Background(), cell)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(why.Moving).To(BeFalse(), told(why))
		g.Expect(why.Chain[len(why.Chain)-2]).To(And(HaveField("Kind", client.LinkHost), HaveField("Name", "cell-0"), HaveField("Text", ContainSubstring("no hypervisor has room for the VM"))), told(why))
		g.Expect(lastLink(why).Text).To(ContainSubstring("moor resolve "+alert.ID), told(why))
	}
	state, _ := b.State(1)
	g.Expect(state).To(Equal("processing"), "BOSH waits for those in flight")

	b.failing("cell-0", false)
	b.answer(alert, model.Answer{Verb: model.Retry})
	g.Eventually(func() []string { return b.done("p") }, patience, "100ms").Should(HaveLen(3))
	g.Eventually(b.stuck, patience, "100ms").Should(BeEmpty(), "it closes by itself")
}

func TestAPolicyForbidsWhatBOSHHasYetToComeTo(t *testing.T) {
	t.Parallel()
	b := newBosh(t)
	g := b.g
	release := b.holds()
	never := steady("timeout: 60s, progress_timeout: 1s")
	never.lifecycle = strings.Replace(never.lifecycle, "max_interrupted: 1", "max_interrupted: 0", 1)
	b.push(never)
	b.roll("p", "cells: all\naction: restart\nvia: {bosh: {deployment: mooring, instance_group: cell}}")

	alert, seen := b.flagged(model.PolicyForbids)
	b.t.Logf("flagged %s after the plan was asked for", seen.Sub(b.planned).Round(time.Millisecond))
	g.Expect(seen.Sub(b.planned)).To(BeNumerically("<=", soon))
	g.Expect(alert.Owner).To(Equal(owner))
	g.Expect(b.plan("p").Rolls).To(HaveEach(HaveField("AtGate", BeZero())), "BOSH has not come to any")

	b.push(steady("timeout: 60s, progress_timeout: 1s"))
	release()
	g.Eventually(func() []string { return b.done("p") }, patience, "100ms").Should(HaveLen(3))
	g.Eventually(b.stuck, patience, "100ms").Should(BeEmpty(), "it closes by itself")
}

// A cell whose gate gave leave stands quiet, and BOSH does not stop it.
func TestBOSHHasLeaveAndDoesNotUseIt(t *testing.T) {
	t.Parallel()
	b := newBosh(t)
	g := b.g
	stall := make(chan struct{})
	goOn := sync.OnceFunc(func() { close(stall) })
	t.Cleanup(goOn)
	b.stall = stall
	b.roll("p", "cells: all\naction: restart\nvia: {bosh: {deployment: mooring, instance_group: cell}, within: 10s}")

	alert, seen := b.flagged(model.NotStopped)
	met := b.entered("p", alert.CellID, model.Acting).Add(10 * time.Second)
	b.t.Logf("flagged %s after its rule was met", seen.Sub(met).Round(time.Millisecond))
	g.Expect(seen.Sub(met)).To(BeNumerically("<=", soon))
	g.Expect(alert.FlaggedAt).To(BeTemporally(">=", met.Add(-blink)))
	b.mu.Lock()
	g.Expect(alert.CellID).To(Equal(b.stalled))
	b.mu.Unlock()
	b.whole(alert, operators)
	why, err := b.api.WhyCell(t.Context(), alert.CellID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(why.Moving).To(BeFalse(), told(why))
	g.Expect(lastLink(why).Text).To(ContainSubstring("moor resolve "+alert.ID), told(why))

	goOn()
	g.Eventually(func() []string { return b.done("p") }, patience, "100ms").Should(HaveLen(3))
	g.Eventually(b.stuck, patience, "100ms").Should(BeEmpty(), "it closes by itself")
	b.retold("p")
}

// failed is when the Director last failed.
func (b *bosh) failed() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failedAt
}

func (b *bosh) failing(cell string, fails bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail[cell] = fails
}
