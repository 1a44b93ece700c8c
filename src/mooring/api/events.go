package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mooring/model"
	"mooring/state"
)

// streamBatch is how many events are looked at between two writes to a stream.
const streamBatch = 500

type eventsInput struct {
	After string `query:"after" doc:"The ID of an event; only later ones are given"`
	Limit int    `query:"limit" minimum:"0" maximum:"10000" default:"100" doc:"The most events in one answer; without after they are the newest"`
	EventFilter
}

type streamInput struct {
	After string `query:"after" doc:"The ID of an event; the stream begins after it, or now"`
	Limit int    `query:"limit" doc:"Has no effect on a stream"`
	// LastEventID is what a browser sends when it connects again.
	LastEventID string `header:"Last-Event-ID"`
	EventFilter
}

// EventFilter narrows which events are given.
type EventFilter struct {
	App  string `query:"app" doc:"Only events of this app (org/space/name)"`
	Cell string `query:"cell" doc:"Only events of this cell"`
	Plan string `query:"plan" doc:"Only events of this plan"`
	// Kind takes whole families too: stuck is stuck.opened and its like.
	Kind  []string  `query:"kind" doc:"Only events of these kinds, such as stuck.answered, or all that begin so, such as stuck"`
	Actor string    `query:"actor" doc:"Only what this actor decided or did: a person, or a part such as orchestrator"`
	Since time.Time `query:"since" doc:"Only events of this moment and later"`
}

// check refuses kinds that there are none of: they would be asked for in vain.
func (f *EventFilter) check() error {
	for _, kind := range f.Kind {
		family := model.EventKind(kind).Family()
		switch kinds := model.EventsOf(family); {
		case len(kinds) == 0:
			return huma.Error400BadRequest(fmt.Sprintf("there are no events of kind %q; the families of kinds are %s", kind, strings.Join(model.EventFamilies(), ", ")))
		case kind != family && !model.EventKind(kind).Known():
			return huma.Error400BadRequest(fmt.Sprintf("there are no events of kind %q; of %s there are %s", kind, family, listed(kinds)))
		}
	}
	return nil
}

// listed writes kinds as a list.
func listed(kinds []model.EventKind) string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	return strings.Join(names, ", ")
}

func (f *EventFilter) takes(event *model.Event) bool {
	return (f.App == "" || f.App == event.App) && (f.Cell == "" || f.Cell == event.CellID) && (f.Plan == "" || f.Plan == event.Plan) &&
		(f.Actor == "" || f.Actor == event.Actor) && !event.At.Before(f.Since) && (len(f.Kind) == 0 || slices.ContainsFunc(f.Kind, event.IsOf))
}

func (s *server) eventRoutes(routes huma.API) {
	on(routes, operation(http.MethodGet, "/v1/events", "list-events", "Events, the oldest first", "events"),
		func(ctx context.Context, in *eventsInput) ([]model.Event, error) {
			if err := in.check(); err != nil {
				return nil, err
			}
			return listEvents(ctx, s.store.Snapshot(), in), nil
		})
	stream(routes, operation(http.MethodGet, "/v1/events/stream", "stream-events", "Events as they happen", "events"),
		map[string]any{"event": model.Event{}}, s.streamEvents)
}

// listEvents gives the first events after one, or the newest.
func listEvents(ctx context.Context, snap *state.Snapshot, in *eventsInput) []model.Event {
	limit := in.Limit
	if limit == 0 {
		limit = 100
	}
	events := snap.EventsAfter(in.After)
	if in.After == "" {
		events = snap.EventsBack()
	}
	taken := []model.Event{}
	for event := range events {
		if in.takes(event) {
			if taken = append(taken, *shownEvent(ctx, event)); len(taken) == limit {
				break
			}
		}
	}
	if in.After == "" {
		slices.Reverse(taken)
	}
	return taken
}

func (s *server) streamEvents(ctx context.Context, in *streamInput) (func(*sender) error, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	snap, after := s.store.Snapshot(), in.After
	if in.LastEventID != "" {
		after = in.LastEventID
	}
	if after == "" {
		after = "0" // before the first event there will be
		if newest := snap.RecentEvents(1); len(newest) > 0 {
			after = newest[0].ID
		}
	}
	return func(send *sender) error {
		// Where the stream begins: a client that loses it before the first
		// event can go on from there.
		if err := send.send("cursor", after, []byte(after)); err != nil {
			return err
		}
		for {
			batch := snap.Events(after, streamBatch)
			for _, event := range batch {
				after = event.ID
				if !in.takes(event) {
					continue
				}
				content, err := json.Marshal(shownEvent(ctx, event))
				if err != nil {
					return err
				}
				if err := send.send("event", event.ID, content); err != nil {
					return err
				}
			}
			if len(batch) < streamBatch {
				if err := s.awaitChange(ctx, snap, send); err != nil {
					return err
				}
				snap = s.store.Snapshot()
			}
		}
	}, nil
}

// streamPlan serves a plan whenever something about it changed, until it has
// finished.
func (s *server) streamPlan(ctx context.Context, in *PlanPath) (func(*sender) error, error) {
	if _, err := planNamed(s.store.Snapshot(), in.Plan); err != nil {
		return nil, err
	}
	return func(send *sender) error {
		var last string
		for {
			snap := s.store.Snapshot()
			plan, err := planNamed(snap, in.Plan)
			if err != nil {
				return err
			}
			content, err := json.Marshal(planView(ctx, snap, plan, s.now()))
			if err != nil {
				return err
			}
			if string(content) != last {
				if err := send.send("plan", "", content); err != nil {
					return err
				}
				last = string(content)
			}
			if plan.Finished() {
				return nil
			}
			if err := s.awaitChange(ctx, snap, send); err != nil {
				return err
			}
		}
	}, nil
}

// awaitChange returns when the state is past the snapshot.
func (s *server) awaitChange(ctx context.Context, snap *state.Snapshot, send *sender) error {
	return send.await(ctx, func(ctx context.Context) error { return s.store.Wait(ctx, snap.Revision()) }, s.store.Err)
}
