package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mooring/client"
	"mooring/model"
)

// roll takes every cell through the plan, with everything that goes wrong on
// the way.
func (s *story) roll(ctx context.Context) error {
	boots, err := s.boots(ctx)
	if err != nil {
		return err
	}
	hung, cell, err := s.chooseHung(ctx)
	if err != nil {
		return err
	}
	if err := s.files.hang(hung); err != nil {
		return err
	}
	s.tell.say("the interrupt handler of %s/%d on %s will hang", app, hung, cell)
	if err := s.moor.do(ctx, "roll", "plan.yml", "--reason", "new stemcell"); err != nil {
		return err
	}
	s.progress = newProgress(s.moor)
	following, stop := context.WithCancel(ctx)
	defer stop()
	go s.progress.follow(following)

	struck := make(chan error, 1)
	go func() { struck <- s.strike(following) }()

	told := s.acts(ctx, hung, cell)
	stop()
	told = errors.Join(told, <-struck)
	return errors.Join(told, s.count(ctx, boots))
}

// acts is what happens while the plan is under way.
func (s *story) acts(ctx context.Context, hung int, cell string) error {
	item, err := s.seeFlagged(ctx, hung)
	if err != nil {
		return err
	}
	if s.config.Chaos == nil {
		if err := s.killControlPlane(ctx); err != nil {
			return err
		}
	}
	if err := s.progress.wait(ctx, "every other cell has rolled", func(view client.PlanView) bool { return view.Done == cellsTotal-1 }); err != nil {
		return err
	}
	s.tell.say("every other cell has rolled while %s waits", cell)
	if err := s.resolve(ctx, hung, item); err != nil {
		return err
	}
	if err := s.progress.wait(ctx, "the plan is done", func(view client.PlanView) bool { return view.Finished() }); err != nil {
		return err
	}
	if err := s.moor.insist(ctx, "plan-status", plan); err != nil {
		return err
	}
	return s.waitServing(ctx)
}

// chooseHung gives the instance whose handler is to hang, and its cell: the
// one whose turn comes in the middle, as the preview says.
func (s *story) chooseHung(ctx context.Context) (index int, cell string, err error) {
	if err := s.moor.do(ctx, "preview", "plan.yml"); err != nil {
		return 0, "", err
	}
	var preview client.Preview
	if err := s.moor.ask(ctx, &preview, "preview", "plan.yml"); err != nil {
		return 0, "", err
	}
	if len(preview.Order) != cellsTotal {
		return 0, "", fmt.Errorf("the plan has %d cells, not %d", len(preview.Order), cellsTotal)
	}
	cell = preview.Order[hungTurn]
	for index, at := range s.cells {
		if at == cell {
			return index, cell, nil
		}
	}
	return 0, "", fmt.Errorf("no instance is on %s", cell)
}

// seeFlagged waits until the operator can see that the handler hangs, and
// measures how long that took.
func (s *story) seeFlagged(ctx context.Context, hung int) (*model.Stuck, error) {
	var item *model.Stuck
	err := s.progress.wait(ctx, "the hung handler is flagged", func(view client.PlanView) bool {
		item = stuckOn(view, hung)
		return item != nil
	})
	if err != nil {
		return nil, err
	}
	seen := time.Now()
	since, err := s.files.hungSince(hung)
	if err != nil {
		return nil, err
	}
	delay := seen.Sub(since.Add(progressTimeout))
	s.report.StuckFlagged++
	s.report.StuckFlagDelayS = float64(delay.Round(time.Millisecond)) / float64(time.Second)
	s.tell.mark('!', fmt.Sprintf("flagged: %s (%s after its progress timeout)", item.What, delay.Round(time.Millisecond)))
	return item, s.moor.insist(ctx, "stuck", item.ID)
}

// killControlPlane kills the control plane in the middle of a roll, and waits
// until the supervisor has brought it back.
func (s *story) killControlPlane(ctx context.Context) error {
	if err := s.progress.wait(ctx, "a roll is under way", func(view client.PlanView) bool { return view.Done >= killAfter && underWay(view) }); err != nil {
		return err
	}
	if err := killProcess(ctx, s.moor, s.fleet.state, "control-plane"); err != nil {
		return err
	}
	s.tell.mark('K', "kill -9 of the control plane in the middle of a roll")
	return s.waitRestarted(ctx)
}

func (s *story) waitRestarted(ctx context.Context) error {
	return eventually(ctx, 30*time.Second, func() error {
		restarts, err := s.restarts(ctx)
		if err == nil && restarts == 0 {
			err = errors.New("the control plane was not restarted")
		}
		if err == nil {
			_, err = s.look(ctx)
		}
		return err
	})
}

// restarts is how often the supervisor has restarted the control plane.
func (s *story) restarts(ctx context.Context) (int, error) {
	list, err := processes(ctx, s.moor, s.fleet.state)
	if err != nil {
		return 0, err
	}
	for _, process := range list {
		if process.Name == "control-plane" {
			return process.Restarts, nil
		}
	}
	return 0, errors.New("the fleet has no control plane")
}

// resolve mends the handler and answers what is stuck.
func (s *story) resolve(ctx context.Context, hung int, item *model.Stuck) error {
	if err := s.files.mend(hung); err != nil {
		return err
	}
	s.tell.mark('R', "the handler is mended; the operator answers")
	return s.moor.insist(ctx, "resolve", item.ID, "retry", "--reason", "the handler was mended", "--by", "demo")
}

// boots gives the boot of each cell.
func (s *story) boots(ctx context.Context) (map[string]string, error) {
	var cells []client.CellView
	if err := s.moor.ask(ctx, &cells, "cells"); err != nil {
		return nil, err
	}
	boots := map[string]string{}
	for _, cell := range cells {
		boots[cell.ID] = cell.Boot
	}
	return boots, nil
}

// count fills in what the plan did. A cell has rolled when the plan says so
// and the cell shows another boot.
func (s *story) count(ctx context.Context, before map[string]string) error {
	return eventually(ctx, 20*time.Second, func() error {
		after, err := s.boots(ctx)
		if err != nil {
			return err
		}
		var view client.PlanView
		if err := s.moor.ask(ctx, &view, "plan-status", plan); err != nil {
			return err
		}
		rolled := slices.DeleteFunc(view.Rolls, func(r model.Roll) bool {
			return r.Phase != model.RollDone || before[r.CellID] == after[r.CellID]
		})
		s.report.CellsRolled = len(rolled)
		s.report.ControlPlaneRestarts, err = s.restarts(ctx)
		return err
	})
}

// strike carries out the chaos there is, when its moment comes.
func (s *story) strike(ctx context.Context) error {
	c := s.config.Chaos
	if c == nil {
		return nil
	}
	s.tell.say("chaos: %s", c)
	if s.progress.wait(ctx, "chaos may strike", func(view client.PlanView) bool { return view.Done >= c.done }) != nil {
		return nil // the story ended before
	}
	select {
	case <-time.After(c.then):
	case <-ctx.Done():
		return nil
	}
	f, isInstance, err := c.strike(ctx, s.moor, s.fleet.state)
	if err != nil {
		return fmt.Errorf("killing the %s: %w", c.kind, err)
	}
	s.tell.mark('X', "chaos: killed the "+c.kind)
	if isInstance {
		s.lock.Lock()
		defer s.lock.Unlock()
		s.failures = append(s.failures, f)
	}
	return nil
}
