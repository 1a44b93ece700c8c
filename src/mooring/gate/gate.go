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
	WatchLeave(ctx context.Context, cellID string, leave client.Leave, each func(client.GateView)) error
	Returning(ctx context.Context, cellID string, back client.Return) (*client.GateView, error)
	WatchReturn(ctx context.Context, cellID string, back client.Return, each func(client.GateView)) error
	GateOpened(ctx context.Context, cellID string, opened client.GateOpened) error
}

// Gate is one cell's gate.
type Gate struct {
	Cell string
	// Deployment is BOSH's name of the deployment that the cell belongs to, ""
	// when it is not known.
	Deployment string
	// DeletesAll is set when BOSH deletes the whole deployment.
	DeletesAll bool
	// Dir is where an opening by hand is looked for, on a disk of the cell.
	Dir     string
	Control Control
	// Out gets one line for each thing that is newly waited for.
	Out io.Writer

	said teller
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

var errOpened = errors.New("the gate was opened by hand")

// Leave blocks until the host may be acted on. It returns nil then, also when
// a person opened the gate by hand. The error says that the cell must not be
// stopped: its roll was aborted or skipped, BOSH's task is being cancelled, or
// ctx ended.
func (g *Gate) Leave(ctx context.Context, action model.Action) error {
	g.say("BOSH wants to %s cell %s; asking for leave", action, g.Cell)
	leave := client.Leave{Action: action, Asking: uuid.NewString(), Deployment: g.Deployment, DeletesAll: g.DeletesAll}
	_, err := g.wait(ctx, func(ctx context.Context) (*client.GateView, error) {
		return g.Control.AskLeave(ctx, g.Cell, leave)
	}, func(ctx context.Context, each func(client.GateView)) error {
		return g.Control.WatchLeave(ctx, g.Cell, leave, each)
	})
	switch {
	case g.opening != nil:
		return g.override(ctx, action)
	case err != nil:
		return err
	}
	g.say("open: cell %s is quiesced and may be stopped", g.Cell)
	return nil
}

// Return blocks until the cell's roll is done, there is none, or it begins the
// host action anew.
func (g *Gate) Return(ctx context.Context) error {
	g.report(ctx, read(g.Dir, usedFile))
	back := client.Return{Asking: uuid.NewString()}
	view, err := g.wait(ctx, func(ctx context.Context) (*client.GateView, error) {
		return g.Control.Returning(ctx, g.Cell, back)
	}, func(ctx context.Context, each func(client.GateView)) error {
		return g.Control.WatchReturn(ctx, g.Cell, back, each)
	})
	switch {
	case g.opening != nil:
		return g.override(ctx, "")
	case err != nil:
		return err
	case view.Why != "": // that is why it is open, and has been said
		return nil
	}
	g.say("open: cell %s is back in service", g.Cell)
	return nil
}

// wait asks how the gate stands and watches that, over and over, until it is
// open or refused. It returns how the gate stands when it is open.
func (g *Gate) wait(ctx context.Context, ask func(context.Context) (*client.GateView, error), watch func(context.Context, func(client.GateView)) error) (*client.GateView, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if g.opening = awaitOpening(ctx, g.Dir); g.opening != nil {
			cancel(errOpened)
		}
	}()
	defer func() { cancel(nil); <-watched }()

	pause := minPause
	for ctx.Err() == nil {
		asking, done := context.WithTimeout(ctx, callPatience)
		view, err := ask(asking)
		done()
		if err == nil && !view.Open && view.Refused == "" {
			err = watch(ctx, func(now client.GateView) {
				if view = &now; now.Why != "" {
					g.say("%s", now.Why)
				}
			})
		}
		var answer *client.Error
		switch {
		case err == nil && view.Refused != "":
			return nil, fmt.Errorf("cell %s must not be stopped: %s; its instances go on", g.Cell, view.Refused)
		case err == nil && view.Open:
			if view.Why != "" {
				g.say("%s", view.Why)
			}
			return view, nil
		case err == nil: // it is to be asked again
			pause = minPause
		case ctx.Err() != nil:
		case errors.As(err, &answer) && answer.Status < 500:
			g.say("the control plane refuses to say whether cell %s may go on: %v; %s can help, or open the gate on the cell: moor gate open --reason WHY", g.Cell, err, model.CloudOps)
		default:
			g.say("the control plane does not answer, so cell %s waits; %s can bring it back, or open the gate on the cell: moor gate open --reason WHY", g.Cell, model.CloudOps)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, maxPause)
	}
	return nil, fmt.Errorf("cell %s was not given leave: %w", g.Cell, context.Cause(ctx))
}

// override goes through a gate that a person opened, and says so loudly.
func (g *Gate) override(ctx context.Context, action model.Action) error {
	what := used{Action: action, Waited: g.said.last}
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

func (g *Gate) say(format string, args ...any) { g.said.say(g.Out, format, args...) }

// teller prints lines, none that would repeat the one before.
type teller struct{ last string }

func (t *teller) say(out io.Writer, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text == t.last {
		return
	}
	t.last = text
	fmt.Fprintf(out, "%s gate: %s\n", time.Now().UTC().Format(time.RFC3339), text)
}
