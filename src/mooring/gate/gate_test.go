package gate_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/gate"
	"mooring/model"
)

func TestActionOf(t *testing.T) {
	for states, want := range map[string]model.Action{
		"keep keep keep":       model.Restart,
		"delete keep keep":     model.Recreate,
		"delete delete keep":   model.Retire,
		"delete delete delete": model.Retire,
	} {
		action, err := gate.ActionOf(bosh(states))
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(action).To(Equal(want), states)
	}
	_, err := gate.ActionOf(bosh("- - -"))
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("run this from pre-stop, or give --action")))
	_, err = gate.ActionOf(bosh("keep maybe keep"))
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring(`BOSH_INSTANCE_NEXT_STATE is "maybe"`)))
}

func TestDeletesDeployment_IsWhatBOSHSays(t *testing.T) {
	for states, want := range map[string]bool{"keep keep keep": false, "delete delete keep": false, "delete delete delete": true, "- - -": false} {
		NewWithT(t).Expect(gate.DeletesDeployment(bosh(states))).To(Equal(want), states)
	}
}

func TestGate_SaysThatTheDeploymentIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := NewWithT(t), newControl()
		c.phase = model.Acting
		w := at(t, c, t.TempDir(), func(of *gate.Gate, ctx context.Context) error {
			of.DeletesAll = true
			return of.Leave(ctx, model.Retire)
		})
		g.Expect(w.result()).To(Succeed())
		g.Expect(c.leaves).To(HaveExactElements(And(HaveField("Deployment", "mooring"), HaveField("DeletesAll", true))))
	})
}

func bosh(states string) func(string) string {
	next := strings.Fields(strings.ReplaceAll(states, "-", `""`))
	env := map[string]string{}
	for i, of := range []string{"VM", "INSTANCE", "DEPLOYMENT"} {
		env["BOSH_"+of+"_NEXT_STATE"] = strings.Trim(next[i], `"`)
	}
	return func(name string) string { return env[name] }
}

// control is a control plane with one roll, of cell c1.
type control struct {
	mu      sync.Mutex
	phase   model.Phase
	why     string
	refused string
	// ask: what is watched is to be asked for again.
	ask bool
	// restless: that is so each time, a thousand times.
	restless bool
	down     bool
	opened   []client.GateOpened
	leaves   []client.Leave
	backs    []client.Return
	// letGo: who waits for the cell is let go on although it has not settled.
	letGo  string
	change chan struct{}
}

func newControl() *control {
	return &control{phase: model.Queued, why: "in line", change: make(chan struct{})}
}

// do changes something once everybody has seen what was before.
func (c *control) do(change func()) {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	close(c.change)
	c.change = make(chan struct{})
}

func (c *control) enter(phase model.Phase) {
	c.do(func() { c.phase, c.why = phase, "it is "+string(phase) })
}

var errDown = errors.New("connection refused")

func (c *control) AskLeave(_ context.Context, _ string, leave client.Leave) (*client.GateView, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaves = append(c.leaves, leave)
	if c.down {
		return nil, errDown
	}
	c.ask = c.restless && len(c.leaves) < 1000
	return &client.GateView{Plan: "p", Phase: c.phase, Open: c.phase == model.Acting, Refused: c.refused}, nil
}

func (c *control) Returning(_ context.Context, _ string, back client.Return) (*client.GateView, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backs = append(c.backs, back)
	if c.down {
		return nil, errDown
	}
	return &client.GateView{Plan: "p", Phase: c.phase, Open: c.phase.Final()}, nil
}

func (c *control) WatchLeave(ctx context.Context, _ string, _ client.Leave, each func(client.GateView)) error {
	return c.watch(ctx, each, func() bool { return c.phase == model.Acting })
}

func (c *control) WatchReturn(ctx context.Context, _ string, _ client.Return, each func(client.GateView)) error {
	return c.watch(ctx, each, func() bool { return c.phase.Final() || c.letGo != "" })
}

func (c *control) watch(ctx context.Context, each func(client.GateView), open func() bool) error {
	for {
		c.mu.Lock()
		view, changed, down := client.GateView{Open: open(), Refused: c.refused, Ask: c.ask}, c.change, c.down
		if view.Why = c.letGo; !view.Open {
			view.Why = c.why
		}
		c.mu.Unlock()
		if down {
			return errDown
		}
		each(view)
		if view.Open || view.Ask || view.Refused != "" {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *control) GateOpened(_ context.Context, _ string, opened client.GateOpened) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return errDown
	}
	c.opened = append(c.opened, opened)
	return nil
}

// waiter is somebody at the gate.
type waiter struct {
	out  bytes.Buffer
	done chan error
}

func at(t *testing.T, c *control, dir string, through func(*gate.Gate, context.Context) error) *waiter {
	w := &waiter{done: make(chan error, 1)}
	g := &gate.Gate{Cell: "c1", Deployment: "mooring", Dir: dir, Control: c, Out: &w.out}
	go func() { w.done <- through(g, t.Context()) }()
	synctest.Wait()
	return w
}

func leaveFor(action model.Action) func(*gate.Gate, context.Context) error {
	return func(g *gate.Gate, ctx context.Context) error { return g.Leave(ctx, action) }
}

// said gives the lines that were printed, without their times.
func (w *waiter) said() []string {
	synctest.Wait()
	var lines []string
	for line := range strings.Lines(w.out.String()) {
		_, text, _ := strings.Cut(line, " gate: ")
		lines = append(lines, strings.TrimSpace(text))
	}
	return lines
}

func (w *waiter) waits(g *WithT) {
	synctest.Wait()
	g.Expect(w.done).NotTo(Receive(), "it waits")
}

func (w *waiter) result() error {
	time.Sleep(5 * time.Second)
	synctest.Wait()
	select {
	case err := <-w.done:
		return err
	default:
		return errors.New("still at the gate")
	}
}

func TestLeaveWaitsUntilTheHostMayBeActedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := NewWithT(t), newControl()
		w := at(t, c, t.TempDir(), leaveFor(model.Recreate))
		c.enter(model.Interrupting)
		c.do(func() {}) // something that does not matter here
		c.do(func() { c.why = "it waits for o/s/redis/2; team-redis can help" })
		w.waits(g)
		c.enter(model.Quiesced)
		w.waits(g)
		c.enter(model.Acting)
		g.Expect(w.result()).To(Succeed())
		g.Expect(w.said()).To(Equal([]string{
			"BOSH wants to recreate cell c1; asking for leave",
			"in line",
			"it is interrupting",
			"it waits for o/s/redis/2; team-redis can help",
			"it is quiesced",
			"open: cell c1 is quiesced and may be stopped",
		}), "one line for each change")
		g.Expect(c.leaves).To(HaveExactElements(And(HaveField("Action", model.Recreate), HaveField("Deployment", "mooring"), HaveField("Asking", Not(BeEmpty())))))
	})
}

func TestLeaveIsAskedForAgainUnderItsOwnName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := NewWithT(t), newControl()
		w := at(t, c, t.TempDir(), leaveFor(model.Restart))
		c.do(func() { c.ask = true }) // the roll that was in the way has ended
		w.waits(g)
		c.enter(model.Acting)
		g.Expect(w.result()).To(Succeed())
		g.Expect(c.leaves).To(HaveLen(2))
		g.Expect(c.leaves[1]).To(Equal(c.leaves[0]))
	})
}

func TestAWatchThatEndsAgainAndAgainIsNotAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := NewWithT(t), newControl()
		c.ask, c.restless = true, true
		w := at(t, c, t.TempDir(), leaveFor(model.Restart))
		time.Sleep(10 * time.Second)
		w.waits(g)
		g.Expect(len(c.leaves)).To(BeNumerically("~", 50, 2), "asked every fifth of a second")
		c.enter(model.Acting)
		g.Expect(w.result()).To(Succeed())
	})
}

func TestLeaveOutlastsTheControlPlane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := NewWithT(t), newControl()
		c.down = true
		w := at(t, c, t.TempDir(), leaveFor(model.Restart))
		time.Sleep(time.Hour)
		w.waits(g)
		c.do(func() { c.down = false })
		time.Sleep(5 * time.Second)
		c.do(func() { c.down = true })
		time.Sleep(time.Hour)
		w.waits(g)
		c.do(func() { c.down, c.phase = false, model.Acting })
		g.Expect(w.result()).To(Succeed())
		outage := "the control plane does not answer, so cell c1 waits; cloud ops can bring it back, or open the gate on the cell: moor gate open --reason WHY"
		g.Expect(w.said()).To(Equal([]string{
			"BOSH wants to restart cell c1; asking for leave",
			outage, "in line", outage,
			"open: cell c1 is quiesced and may be stopped",
		}), "one line for an outage, however long")
	})
}

func TestWhoIsTurnedAwayMustNotStopTheCell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := NewWithT(t), newControl()
		w := at(t, c, t.TempDir(), leaveFor(model.Restart))
		c.do(func() { c.refused = "BOSH task 7 is being cancelled" })
		refused := MatchError("cell c1 must not be stopped: BOSH task 7 is being cancelled; its instances go on")
		g.Expect(w.result()).To(refused)
		g.Expect(at(t, c, t.TempDir(), leaveFor(model.Restart)).result()).To(refused, "at once, too")
	})
}

func TestTheGateIsOpenedByHandWithoutAControlPlane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c, dir := NewWithT(t), newControl(), t.TempDir()
		g.Expect(gate.Open(dir, " ", "olga", time.Now())).To(MatchError(ContainSubstring("say why")))
		w := at(t, c, dir, leaveFor(model.Recreate))
		c.do(func() { c.down = true })
		w.waits(g)
		g.Expect(gate.Open(dir, "INC-1", "olga", time.Now())).To(Succeed())
		g.Expect(w.result()).To(Succeed())
		g.Expect(strings.Join(w.said(), "\n")).To(And(
			ContainSubstring("OPENED BY HAND by olga (INC-1): the lifecycle policies are NOT kept for cell c1"),
			ContainSubstring("it is told when the cell returns")))

		// It opened once: the next stop waits as ever.
		again := at(t, c, dir, leaveFor(model.Recreate))
		time.Sleep(time.Minute)
		again.waits(g)
		c.do(func() { c.down, c.phase = false, model.Acting })
		g.Expect(again.result()).To(Succeed())

		// The control plane hears of it when the cell returns, once.
		c.enter(model.RollDone)
		for range 2 {
			g.Expect(at(t, c, dir, (*gate.Gate).Return).result()).To(Succeed())
		}
		g.Expect(c.opened).To(HaveExactElements(And(
			HaveField("Reason", "INC-1"), HaveField("By", "olga"), HaveField("Action", model.Recreate),
			HaveField("Overridden", ContainSubstring("does not answer")))))
		g.Expect(os.ReadDir(dir)).To(BeEmpty())
	})
}

func TestAnOpeningThatNobodyCameForEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c, dir := NewWithT(t), newControl(), t.TempDir()
		g.Expect(gate.Open(dir, "INC-1", "olga", time.Now())).To(Succeed())
		time.Sleep(gate.Lasts + time.Second)
		w := at(t, c, dir, leaveFor(model.Recreate))
		time.Sleep(time.Minute)
		w.waits(g)
		c.enter(model.Acting)
		g.Expect(w.result()).To(Succeed())
	})
}

func TestReturnWaitsUntilTheCellHasSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := NewWithT(t), newControl()
		c.phase = model.Returning
		w := at(t, c, t.TempDir(), (*gate.Gate).Return)
		c.enter(model.Settling)
		c.do(func() { c.down = true })
		time.Sleep(time.Minute)
		w.waits(g)
		c.do(func() { c.down = false })
		c.enter(model.RollDone)
		g.Expect(w.result()).To(Succeed())
		g.Expect(w.said()).To(ContainElements("it is settling", "open: cell c1 is back in service"))
		g.Expect(c.backs).To(HaveEach(And(Equal(c.backs[0]), HaveField("Asking", Not(BeEmpty())))), "it is one waiting")
	})
}

func TestReturn_GoesOnWhenTheActionBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, c := NewWithT(t), newControl()
		c.phase = model.Returning
		w := at(t, c, t.TempDir(), (*gate.Gate).Return)
		w.waits(g)
		c.do(func() { c.phase, c.letGo = model.Acting, "plan p begins the recreate of the cell anew" })
		g.Expect(w.result()).To(Succeed())
		said := w.said()
		g.Expect(said[len(said)-1]).To(Equal("plan p begins the recreate of the cell anew"))
		g.Expect(said).NotTo(ContainElement(ContainSubstring("back in service")), "it is not")
	})
}
