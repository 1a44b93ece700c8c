package gate_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
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

func TestWhatBecomesOfAControlNode(t *testing.T) {
	for states, want := range map[string][2]bool{
		"keep keep keep":       {false, false},
		"delete keep keep":     {false, false},
		"delete delete keep":   {false, true},
		"delete delete delete": {true, false},
	} {
		withAll, alone, err := gate.Going(bosh(states))
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect([2]bool{withAll, alone}).To(Equal(want), states)
	}
	_, _, err := gate.Going(bosh("- - -"))
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("run this from pre-stop")))
}

// left is an API that knows of cells.
type left struct {
	mu    sync.Mutex
	cells []client.CellView
	err   error
}

func (l *left) Cells(context.Context) ([]client.CellView, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cells, l.err
}

func (l *left) become(err error, cells ...client.CellView) {
	time.Sleep(2 * time.Second)
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cells, l.err = cells, err
}

func there(id string) client.CellView {
	return client.CellView{Cell: model.Cell{ID: id}, Present: true}
}

func gone(id string, phase model.Phase) client.CellView {
	view := client.CellView{Cell: model.Cell{ID: id}, Phase: phase}
	if phase != "" {
		view.Plan = "p"
	}
	return view
}

// lastAt has somebody wait with a control node.
func lastAt(t *testing.T, l gate.Last, alone bool) *waiter {
	w := &waiter{done: make(chan error, 1)}
	l.Out = &w.out
	go func() { w.done <- l.Wait(t.Context(), alone) }()
	synctest.Wait()
	return w
}

func TestAControlNodeOutlivesItsCells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, api := NewWithT(t), &left{}
		api.cells = []client.CellView{there("a"), there("b"), gone("c", ""), there("d"), there("e"), there("f"), there("g")}
		w := lastAt(t, gate.Last{Fleet: api, Beside: "g", Dir: t.TempDir()}, false)
		api.become(nil, there("a"), there("b"), gone("c", model.Draining))
		api.become(errDown)
		time.Sleep(time.Hour)
		api.become(&client.Error{Status: 403, Detail: "mooring-api may not look at cells"})
		api.become(nil, gone("b", model.Queued), there("g"))
		w.waits(g)
		api.become(nil, gone("a", model.Acting), gone("b", model.Returning), gone("c", ""), there("g"))
		g.Expect(w.result()).To(Succeed())
		var heads []string
		for _, line := range w.said() {
			head, _, _ := strings.Cut(line, ": the log of")
			head, _, _ = strings.Cut(head, "; cloud ops")
			heads = append(heads, head)
		}
		after := "the control plane goes after its cells, and "
		g.Expect(heads).To(Equal([]string{
			after + "5 are left, a, b, d, e, f",
			after + "3 are left, a, b, c",
			after + "no API answers to say which are left",
			after + "the API refuses to say which are left: mooring-api may not look at cells",
			after + "1 is left, b",
			"open: no cell is left that needs the control plane",
		}), "one line for each change, with who can help")
	})
}

func TestALongListOfCellsIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, api := NewWithT(t), &left{cells: []client.CellView{there("a"), there("b"), there("c"), there("d"), there("e"), there("f"), there("g")}}
		w := lastAt(t, gate.Last{Fleet: api, Dir: t.TempDir()}, false)
		api.become(nil)
		g.Expect(w.result()).To(Succeed())
		g.Expect(w.said()[0]).To(ContainSubstring("7 are left, a, b, c, d, e and 2 more: the log of"))
	})
}

func TestTheLastControlNodeAloneOutlivesTheCells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, api := NewWithT(t), &left{cells: []client.CellView{there("a")}}
		serving, down := &left{cells: api.cells}, &left{err: errDown}

		one := lastAt(t, gate.Last{Fleet: api, Others: []gate.Fleet{down, serving}, Dir: t.TempDir()}, true)
		g.Expect(one.result()).To(Succeed())
		g.Expect(one.said()).To(HaveExactElements("open: another control node serves, this one may go"))

		all := lastAt(t, gate.Last{Fleet: api, Others: []gate.Fleet{serving}, Dir: t.TempDir()}, false)
		last := lastAt(t, gate.Last{Fleet: api, Others: []gate.Fleet{down}, Dir: t.TempDir()}, true)
		time.Sleep(time.Minute)
		all.waits(g)
		last.waits(g)
		down.become(nil) // one that was down comes back
		g.Expect(last.result()).To(Succeed())
		all.waits(g)
		api.become(nil)
		g.Expect(all.result()).To(Succeed())
	})
}

// BOSH takes all control nodes away at once when their group is no longer in the
// manifest, and tells each of them no more than that it goes.
func TestOfControlNodesThatGoTogetherTheFirstOutlivesTheCells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		one, two := &left{cells: []client.CellView{there("a")}}, &left{cells: []client.CellView{there("a")}}
		first := lastAt(t, gate.Last{Fleet: one, Others: []gate.Fleet{two}, First: true, Dir: t.TempDir()}, true)
		second := lastAt(t, gate.Last{Fleet: two, Others: []gate.Fleet{one}, Dir: t.TempDir()}, true)
		g.Expect(second.result()).To(Succeed())
		first.waits(g)
		two.become(errDown)
		time.Sleep(time.Hour)
		first.waits(g)
		one.become(nil)
		g.Expect(first.result()).To(Succeed())
		g.Expect(first.said()).To(HaveExactElements(
			"another control node serves; for 1m0s this one stays to see whether that one goes too",
			ContainSubstring("1 is left, a"), "open: no cell is left that needs the control plane"))
	})
}

func TestTheFirstControlNodeAloneStaysNoLongerThanItMust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		api := &left{cells: []client.CellView{there("a")}}
		first := lastAt(t, gate.Last{Fleet: api, Others: []gate.Fleet{api}, First: true, Dir: t.TempDir()}, true)
		time.Sleep(50 * time.Second)
		first.waits(g)
		time.Sleep(10 * time.Second)
		g.Expect(first.result()).To(Succeed())

		none := &left{}
		empty := lastAt(t, gate.Last{Fleet: none, Others: []gate.Fleet{none}, First: true, Dir: t.TempDir()}, true)
		g.Expect(empty.result()).To(Succeed(), "there is no cell to stay for")
	})
}

func TestAPersonLetsAControlNodeGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, api, dir := NewWithT(t), &left{err: errDown}, t.TempDir()
		w := lastAt(t, gate.Last{Fleet: api, Dir: dir}, false)
		time.Sleep(time.Hour)
		w.waits(g)
		g.Expect(gate.Open(dir, "INC-1", "olga", time.Now())).To(Succeed())
		g.Expect(w.result()).To(Succeed())
		g.Expect(w.said()).To(HaveExactElements(ContainSubstring("no API answers"),
			And(HavePrefix("OPENED BY HAND by olga (INC-1): the control node goes;"), ContainSubstring("It waited: the control plane goes after its cells, and no API answers"))))
		g.Expect(os.ReadDir(dir)).To(BeEmpty(), "an opening is used once")
	})
}

func TestWaitingForTheCellsEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		l := gate.Last{Fleet: &left{err: errDown}, Dir: t.TempDir(), Out: &bytes.Buffer{}}
		go func() { done <- l.Wait(ctx, false) }()
		synctest.Wait()
		stop()
		NewWithT(t).Expect(<-done).To(MatchError(context.Canceled))
	})
}

func TestLast_NodeThatNeverServedGoesAtOnce(t *testing.T) {
	g := NewWithT(t)
	served := filepath.Join(t.TempDir(), "served")
	var said bytes.Buffer
	last := gate.Last{Fleet: &left{err: errors.New("connection refused")}, Dir: t.TempDir(), Served: served, Out: &said}
	g.Expect(last.Wait(t.Context(), false)).To(Succeed())
	g.Expect(said.String()).To(ContainSubstring("open: the API of this control node has never served, so that no cell needs it"))

	g.Expect(os.WriteFile(served, nil, 0o644)).To(Succeed())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	g.Expect(last.Wait(ctx, false)).To(MatchError(ContainSubstring("was not given leave")))
}
