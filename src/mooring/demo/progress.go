package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"mooring/client"
	"mooring/model"
)

// progress follows the plan as `moor plan-status --watch` shows it.
type progress struct {
	moor *moor
	tell *teller

	lock    sync.Mutex
	view    client.PlanView
	changed chan struct{} // closed and replaced at every change
}

func newProgress(m *moor) *progress {
	return &progress{moor: m, tell: m.tell, changed: make(chan struct{})}
}

// follow reads until the plan has finished or the context ends.
func (p *progress) follow(ctx context.Context) {
	for ctx.Err() == nil {
		command := p.moor.command(ctx, []string{"plan-status", plan, "--watch", "--json"})
		out, err := command.StdoutPipe()
		if err != nil || command.Start() != nil {
			return
		}
		for decoder := json.NewDecoder(out); ; {
			var view client.PlanView
			if decoder.Decode(&view) != nil {
				break
			}
			p.note(view)
		}
		_ = command.Wait()
		if view, _ := p.now(); view.Finished() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// note takes in a new view and tells what is new about it.
func (p *progress) note(view client.PlanView) {
	p.lock.Lock()
	old := p.view
	p.view = view
	close(p.changed)
	p.changed = make(chan struct{})
	p.lock.Unlock()
	for _, roll := range view.Rolls {
		before := model.Queued
		if i := slices.IndexFunc(old.Rolls, func(r model.Roll) bool { return r.CellID == roll.CellID }); i >= 0 {
			before = old.Rolls[i].Phase
		}
		if roll.Phase == before {
			continue
		}
		switch roll.Phase {
		case model.Interrupting, model.Acting, model.Settling, model.RollSkipped, model.RollAborted:
			p.tell.say("%s: %s", roll.CellID, roll.Phase)
		case model.RollDone:
			p.tell.mark('|', fmt.Sprintf("%s: done, %d of %d", roll.CellID, view.Done, len(view.Rolls)))
		}
	}
}

// now gives the plan as last seen, and a channel that is closed at the next
// change.
func (p *progress) now() (client.PlanView, <-chan struct{}) {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.view, p.changed
}

// wait returns once the plan is as wanted.
func (p *progress) wait(ctx context.Context, what string, wanted func(client.PlanView) bool) error {
	for {
		view, changed := p.now()
		if wanted(view) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w; the plan has %d of %d cells done and %d stuck", what, ctx.Err(), view.Done, len(view.Rolls), len(view.Stuck))
		}
	}
}

// underWay reports whether a roll is in the middle of its way, and not stuck.
func underWay(view client.PlanView) bool {
	return slices.ContainsFunc(view.Rolls, func(r model.Roll) bool {
		return !r.Phase.Final() && r.Phase != model.Queued && r.StuckID == ""
	})
}

// stuckOn gives what is stuck about an instance, nil when nothing is.
func stuckOn(view client.PlanView, index int) *model.Stuck {
	for i := range view.Stuck {
		if view.Stuck[i].Kind == model.HandlerHung && view.Stuck[i].Index == index {
			return &view.Stuck[i]
		}
	}
	return nil
}
