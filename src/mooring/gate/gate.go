package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"mooring/client"
	"mooring/model"
)

// Control is what the gate needs of the API; *client.Client is one.
type Control interface {
	AskLeave(ctx context.Context, cellID string, leave client.Leave) (*client.GateView, error)
	Returning(ctx context.Context, cellID string) (*client.GateView, error)
	WatchPlanOnce(ctx context.Context, name string, each func(client.PlanView) error) error
	GateOpened(ctx context.Context, cellID string, opened client.GateOpened) error
}

// Gate is one cell's gate.
type Gate struct {
	Cell string
	// Dir is where an opening by hand is looked for, on a disk of the cell.
	Dir     string
	Control Control
	// Out gets one line for each thing that is newly waited for.
	Out io.Writer

	last string
	// opening is what a person opened the gate with while it was waited at.
	opening *override
}

// How often an opening by hand is looked for, how long one call may take, and
// the bounds of the pause between attempts to reach the control plane.
const (
	lookEvery    = 300 * time.Millisecond
	callPatience = 10 * time.Second
	minPause     = 200 * time.Millisecond
	maxPause     = 3 * time.Second
)

var (
	errOpened  = errors.New("the gate was opened by hand")
	errChanged = errors.New("the roll has changed")
)

// Leave blocks until the host may be acted on. It returns nil then, also when
// a person opened the gate by hand. The error says that the cell must not be
// stopped: its roll was aborted or skipped, or ctx ended.
func (g *Gate) Leave(ctx context.Context, action model.Action) error {
	g.say("BOSH wants to %s cell %s; asking for leave", action, g.Cell)
	asking := uuid.NewString()
	err := g.wait(ctx, func(ctx context.Context) (*client.GateView, error) {
		return g.Control.AskLeave(ctx, g.Cell, client.Leave{Action: action, Asking: asking})
	}, true)
	switch {
	case g.opening != nil:
		return g.override(ctx, action)
	case err != nil:
		return err
	}
	g.say("open: cell %s is quiesced and may be stopped", g.Cell)
	return nil
}

// Return blocks until the cell's roll is done, or there is none.
func (g *Gate) Return(ctx context.Context) error {
	g.report(ctx, read(g.Dir, usedFile))
	err := g.wait(ctx, func(ctx context.Context) (*client.GateView, error) {
		return g.Control.Returning(ctx, g.Cell)
	}, false)
	switch {
	case g.opening != nil:
		return g.override(ctx, "")
	case err != nil:
		return err
	}
	g.say("open: cell %s is back in service", g.Cell)
	return nil
}

// wait asks until the answer is that the gate is open, and watches the plan
// that decides in between. refusable: the end of that roll without its work is
// an error.
func (g *Gate) wait(ctx context.Context, ask func(context.Context) (*client.GateView, error), refusable bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := make(chan struct{})
	go func() { defer close(watched); g.watchForOpening(ctx, cancel) }()
	defer func() { cancel(nil); <-watched }()

	pause := minPause
	for ctx.Err() == nil {
		asking, done := context.WithTimeout(ctx, callPatience)
		view, err := ask(asking)
		done()
		if err == nil {
			if view.Why != "" {
				g.say("%s", view.Why)
			}
			if view.Refused != "" {
				return &refused{fmt.Sprintf("cell %s must not be stopped: %s; its instances go on", g.Cell, view.Refused)}
			}
			if view.Open {
				return nil
			}
			err = g.watch(ctx, view, refusable && view.Covers)
		}
		var refusal *refused
		var answer *client.Error
		switch {
		case errors.As(err, &refusal):
			return err
		case err == nil || errors.Is(err, errChanged):
			pause = minPause
			continue
		case ctx.Err() != nil:
		case errors.As(err, &answer) && answer.Status < 500:
			g.say("the control plane refuses to say whether cell %s may go on: %v; cloud ops can help, or open the gate on the cell: moor gate open --reason WHY", g.Cell, err)
		default:
			g.say("the control plane does not answer, so cell %s waits; cloud ops can bring it back, or open the gate on the cell: moor gate open --reason WHY", g.Cell)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, maxPause)
	}
	return fmt.Errorf("cell %s was not given leave: %w", g.Cell, context.Cause(ctx))
}

// refused is the end of a roll that was to open the gate.
type refused struct{ text string }

func (e *refused) Error() string { return e.text }

// watch follows the plan that decides until the roll of the cell changes, and
// says what it waits for.
func (g *Gate) watch(ctx context.Context, asked *client.GateView, covers bool) error {
	return g.Control.WatchPlanOnce(ctx, asked.Plan, func(view client.PlanView) error {
		g.say("%s", Explain(&view, g.Cell))
		for i := range view.Rolls {
			roll := &view.Rolls[i]
			switch {
			case roll.CellID != g.Cell:
			case covers && (roll.Phase == model.RollAborted || roll.Phase == model.RollSkipped):
				return &refused{fmt.Sprintf("cell %s must not be stopped: its roll in plan %s was %s: %s; its instances go on", g.Cell, view.Name, roll.Phase, lastNote(roll))}
			case roll.Phase != asked.Phase || covers && roll.Refused != "":
				return errChanged
			case covers && roll.AtGate.IsZero() && len(roll.Timeline) > 0:
				return errChanged // it was not written yet when we came
			}
		}
		return nil
	})
}

// watchForOpening ends the wait when a person opens the gate on the cell.
func (g *Gate) watchForOpening(ctx context.Context, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		if o := opened(g.Dir, time.Now()); o != nil {
			g.opening = o
			cancel(errOpened)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// override goes through a gate that a person opened, and says so loudly.
func (g *Gate) override(ctx context.Context, action model.Action) error {
	what := used{Action: action, Waited: g.last}
	if err := use(g.Dir, *g.opening, what); err != nil {
		return err
	}
	g.opening.Used = &what
	g.say("OPENED BY HAND by %s (%s): the lifecycle policies are NOT kept for cell %s; instances that have not yielded are stopped with it", g.opening.By, g.opening.Reason, g.Cell)
	g.report(ctx, g.opening)
	return nil
}

// report tells the control plane of an opening that was used. What cannot be
// told now is told when the cell returns.
func (g *Gate) report(ctx context.Context, o *override) {
	if o == nil {
		return
	}
	calling, done := context.WithTimeout(ctx, callPatience)
	defer done()
	if err := g.Control.GateOpened(calling, g.Cell, o.report()); err != nil {
		g.say("the control plane could not be told of the opening; it is told when the cell returns (%v)", err)
		return
	}
	told(g.Dir)
}

// say prints a line, unless it would repeat the last one.
func (g *Gate) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text == g.last {
		return
	}
	g.last = text
	fmt.Fprintf(g.Out, "%s gate: %s\n", time.Now().UTC().Format(time.RFC3339), text)
}
