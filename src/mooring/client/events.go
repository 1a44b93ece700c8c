package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mooring/model"
)

// EventQuery chooses events. The zero value is the newest hundred.
type EventQuery struct {
	// After is the ID of an event; only later ones are given.
	After string
	// Limit is the most events in one answer; 0 means 100. Without After they
	// are the newest, else the first ones after it.
	Limit int
	// App (org/space/name), CellID and Plan narrow what is given.
	App    string
	CellID string
	Plan   string
	// Kinds are kinds such as stuck.answered, or families such as stuck.
	Kinds []string
	// Actor is whose decisions and deeds are given.
	Actor string
	// Since is the moment of the oldest that is given.
	Since time.Time
}

func (q EventQuery) values() url.Values {
	values := url.Values{}
	for key, value := range map[string]string{"after": q.After, "app": q.App, "cell": q.CellID, "plan": q.Plan, "actor": q.Actor, "kind": strings.Join(q.Kinds, ",")} {
		if value != "" {
			values.Set(key, value)
		}
	}
	if q.Limit > 0 {
		values.Set("limit", strconv.Itoa(q.Limit))
	}
	if !q.Since.IsZero() {
		values.Set("since", q.Since.UTC().Format(time.RFC3339Nano))
	}
	return values
}

// Events lists events, the oldest first.
func (c *Client) Events(ctx context.Context, query EventQuery) ([]model.Event, error) {
	return list[model.Event](ctx, c, pathOf("events"), query.values())
}

// exportBatch is how many events an export asks for at once.
const exportBatch = 5000

// ExportEvents calls each with every event there is after query.After, the
// oldest first; query.Limit has no effect.
func (c *Client) ExportEvents(ctx context.Context, query EventQuery, each func(model.Event) error) error {
	if query.After == "" {
		query.After = "0" // before the first
	}
	for query.Limit = exportBatch; ; {
		batch, err := c.Events(ctx, query)
		if err != nil {
			return err
		}
		for _, event := range batch {
			if err := each(event); err != nil {
				return err
			}
			query.After = event.ID
		}
		if len(batch) < exportBatch {
			return nil
		}
	}
}

// StreamEvents calls each with every event after query.After as it happens,
// and first with those there are already (with the zero After: none of them).
// It reconnects, and goes on where it was, when the stream breaks; it returns
// when the context ends, each fails, or the API refuses the query.
func (c *Client) StreamEvents(ctx context.Context, query EventQuery, each func(model.Event) error) error {
	return c.follow(ctx, func() error {
		return c.stream(ctx, pathOf("events", "stream"), query.values(), func(message sseMessage) error {
			if message.event == "cursor" {
				query.After = message.data
				return nil
			}
			var event model.Event
			if err := message.decode(&event); err != nil {
				return err
			}
			query.After = event.ID
			return callback(each(event))
		})
	})
}

// WatchPlan calls each with the plan as it is and then whenever it or one of
// its rolls changed, until the plan has finished; then it returns nil. It
// reconnects when the stream breaks.
func (c *Client) WatchPlan(ctx context.Context, name string, each func(PlanView) error) error {
	return c.follow(ctx, func() error {
		return c.stream(ctx, pathOf("plans", name, "stream"), nil, func(message sseMessage) error {
			var view PlanView
			if err := message.decode(&view); err != nil {
				return err
			}
			if err := each(view); err != nil {
				return callback(err)
			}
			if view.Finished() {
				return callback(errFinished)
			}
			return nil
		})
	})
}

// errFinished ends a stream that has nothing more to say.
var errFinished = errors.New("stream finished")

// callbackError is an error of the caller's own function: no reason to
// reconnect.
type callbackError struct{ err error }

func (e *callbackError) Error() string { return e.err.Error() }
func (e *callbackError) Unwrap() error { return e.err }

func callback(err error) error {
	if err == nil {
		return nil
	}
	return &callbackError{err}
}

// follow connects again and again until an error that connecting will not mend.
func (c *Client) follow(ctx context.Context, connect func() error) error {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		began := time.Now()
		err := connect()
		var own *callbackError
		if errors.As(err, &own) {
			if errors.Is(own.err, errFinished) {
				return nil
			}
			return own.err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var answer *Error
		if errors.As(err, &answer) && answer.Status < 500 && answer.Status != http.StatusTooManyRequests {
			return err
		}
		if time.Since(began) > 5*time.Second {
			pause = 50 * time.Millisecond
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("following the API: %w (last failure: %w)", ctx.Err(), err)
		}
	}
}
