package cli

import (
	"bytes"
	"context"
	"os"
	"time"

	"github.com/mattn/go-isatty"

	"mooring/client"
)

// redrawEvery is how often a terminal is redrawn while nothing changes, for
// the times that pass.
const redrawEvery = time.Second

// follow shows a plan as --watch, --wait and --json ask, until it has finished
// or, with --wait, until something is stuck.
func (s *session) follow(plan string) error {
	ctx, cancel := context.WithCancel(s.ctx())
	defer cancel()
	views := make(chan client.PlanView)
	watched := make(chan error, 1)
	go func() {
		watched <- s.api.WatchPlan(ctx, plan, func(view client.PlanView) error {
			select {
			case views <- view:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	redraw := time.NewTicker(redrawEvery)
	defer redraw.Stop()
	show := s.shower()
	var last *client.PlanView
	for {
		select {
		case view := <-views:
			last = &view
			if err := show(last, true); err != nil {
				return err
			}
			if stuck := stuckNow(last); stuck != nil && s.Bool("wait") {
				return s.finish(last, stuck)
			}
		case <-redraw.C:
			if last != nil {
				if err := show(last, false); err != nil {
					return err
				}
			}
		case err := <-watched:
			if err != nil || last == nil {
				return err
			}
			return s.finish(last, ended(last))
		}
	}
}

// finish prints the last view where only that was asked for.
func (s *session) finish(last *client.PlanView, outcome error) error {
	if s.Bool("watch") {
		return outcome
	}
	if err := s.showOnce(last); err != nil {
		return err
	}
	return outcome
}

func (s *session) showOnce(view *client.PlanView) error {
	if printed, err := s.json(view); printed || err != nil {
		return err
	}
	return showPlan(s.out, view, s.now())
}

// shower gives what shows a plan while it is watched; changed is false when
// only time has passed.
func (s *session) shower() func(view *client.PlanView, changed bool) error {
	switch {
	case !s.Bool("watch"):
		return func(*client.PlanView, bool) error { return nil }
	case s.Bool(jsonFlag.Name):
		return func(view *client.PlanView, changed bool) error {
			if !changed {
				return nil
			}
			return s.line(view)
		}
	case s.terminal():
		clear := "\x1b[2J"
		return func(view *client.PlanView, _ bool) error {
			// The terminal is told to clear itself past what makes all else printable.
			var screen bytes.Buffer
			screen.WriteString(clear + "\x1b[H\x1b[J")
			clear = ""
			if err := showPlan(printableTo(&screen), view, s.now()); err != nil {
				return err
			}
			_, err := rawOf(s.out).Write(screen.Bytes())
			return err
		}
	}
	var before *client.PlanView
	return func(view *client.PlanView, changed bool) error {
		if !changed {
			return nil
		}
		for _, text := range changes(before, view) {
			s.say("%s  %s", clock(s.now()), text)
		}
		before = view
		return nil
	}
}

// terminal reports whether a person looks at the output.
func (s *session) terminal() bool {
	file, ok := rawOf(s.out).(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}
