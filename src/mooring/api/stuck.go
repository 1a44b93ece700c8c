package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mooring/access"
	"mooring/model"
	"mooring/state"
)

type answerInput struct {
	ID   string `path:"id" doc:"What is stuck"`
	Body model.Answer
}

func (s *server) stuckRoutes(routes huma.API) {
	on(routes, operation(http.MethodGet, "/v1/stuck", "list-stuck", "Everything that is stuck, with the evidence", "stuck"),
		func(ctx context.Context, _ *struct{}) ([]model.Stuck, error) {
			list := []model.Stuck{}
			for _, stuck := range s.store.Snapshot().StuckItems() {
				list = append(list, *shownStuck(ctx, stuck))
			}
			slices.SortFunc(list, func(a, b model.Stuck) int {
				return cmp.Or(a.FlaggedAt.Compare(b.FlaggedAt), cmp.Compare(a.ID, b.ID))
			})
			return list, nil
		})
	on(routes, operation(http.MethodPut, "/v1/stuck/{id}/answer", "answer-stuck", "A person's decision about something stuck", "stuck"), s.answerStuck)
}

func (s *server) answerStuck(ctx context.Context, in *answerInput) (*model.Stuck, error) {
	in.Body.By = signed(ctx, in.Body.By, "")
	var answered model.Stuck
	_, err := s.change(ctx, func(snap *state.Snapshot) (*state.Txn, error) {
		stuck := snap.StuckItem(in.ID)
		if stuck == nil {
			return nil, stuckNoMore(snap, in.ID)
		}
		if err := may(ctx, access.Answer, access.Stuck(stuck, in.Body.Verb)); err != nil {
			return nil, err
		}
		answered = *stuck
		tx, err := decideAnswer(snap, &answered, in.Body, s.now())
		return tx, err
	})
	if err != nil {
		return nil, err
	}
	return shownStuck(ctx, &answered), nil
}

// stuckNoMore refuses an answer to what is not stuck, and says what became of
// it: who answered first, or how it came to move again.
func stuckNoMore(snap *state.Snapshot, id string) error {
	var last *model.Event
	for event := range snap.EventsBack() {
		if event.Kind == model.EventStuckClosed && event.Stuck != nil && event.Stuck.ID == id {
			last = event
			break
		}
	}
	switch {
	case last == nil:
		return notFound("nothing stuck has the id %s; it may have moved again", id)
	case last.Stuck.Answer != nil:
		first := last.Stuck.Answer
		return conflict("%s was answered with %s by %s (%q) at %s, which has been carried out", id, first.Verb, person(first.By), first.Reason, first.At.UTC().Format(time.TimeOnly))
	}
	return conflict("it is stuck no more, since %s: %s", last.At.UTC().Format(time.TimeOnly), last.Text)
}

// seconded keeps the reason of somebody who answers as another did before. Who
// says the same again has said it: the first answer is being carried out.
func seconded(snap *state.Snapshot, stuck *model.Stuck, answer model.Answer, now time.Time) *state.Txn {
	first := stuck.Answer
	if first.By == answer.By && first.Reason == answer.Reason {
		return nil
	}
	answer.At = now
	event := answerEvent(model.EventStuckSeconded, stuck, &answer)
	event.Text = fmt.Sprintf("%s, answered with %s as %s did", strings.TrimSuffix(stuck.What, "."), answer.Verb, person(first.By))
	tx := snap.Txn()
	tx.Require(stuck.Key())
	tx.Event(event)
	return tx
}

// answerEvent is the event of an answer to something stuck.
func answerEvent(kind model.EventKind, stuck *model.Stuck, answer *model.Answer) model.Event {
	event := model.Event{
		At: answer.At, Kind: kind, Actor: person(answer.By), Reason: answer.Reason,
		Plan: stuck.Plan, CellID: stuck.CellID, AppGUID: stuck.AppGUID, Answer: answer,
		Text: fmt.Sprintf("%s, answered with %s", strings.TrimSuffix(stuck.What, "."), answer.Verb),
	}
	if stuck.App != nil {
		index := stuck.Index
		event.App, event.Index = stuck.App.String(), &index
	}
	return event
}

// decideAnswer writes a person's answer into something stuck. It is pure.
func decideAnswer(snap *state.Snapshot, stuck *model.Stuck, answer model.Answer, now time.Time) (*state.Txn, error) {
	if first := stuck.Answer; first != nil {
		if first.Verb == answer.Verb && first.For == answer.For && slices.Equal(first.Confirm, answer.Confirm) {
			return seconded(snap, stuck, answer, now), nil
		}
		return nil, conflict("%s was answered with %s by %s (%q), which is being carried out; look again", stuck.ID, first.Verb, person(first.By), first.Reason)
	}
	if stuck.Recovered() {
		return nil, conflict("%s moves again since %s, so there is nothing to answer; it is kept open only to see whether that lasts",
			stuck.ID, stuck.RecoveredAt.UTC().Format(time.TimeOnly))
	}
	if err := invalid(fmt.Sprintf("the answer %s is refused", answer.Verb), answer.Validate()); err != nil {
		return nil, err
	}
	if err := invalid(fmt.Sprintf("the answer %s is refused", answer.Verb), answer.CheckAgainst(stuck)); err != nil {
		return nil, err
	}
	answer.At = now
	stuck.Answer = &answer
	written := *stuck
	tx := snap.Txn()
	tx.Put(&written)
	tx.Event(answerEvent(model.EventStuckAnswered, &written, &answer))
	return tx, nil
}
