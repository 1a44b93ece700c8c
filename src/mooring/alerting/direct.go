package alerting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"mooring/model"
	"mooring/notify"
	"mooring/state"
)

// directEvery is how often it is looked at what is wrong with the state.
const directEvery = time.Second

// RunDirect tells of what is wrong with the state itself, until ctx ends. It
// neither reads nor writes the state and needs no leadership: each node tells
// for itself, and what it told before it was restarted it tells again. cfg has
// receivers of its own, which Run does not use.
func RunDirect(ctx context.Context, cfg Config, problems func() []state.Problem) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	var tellers sync.WaitGroup
	defer tellers.Wait()
	for name, receiver := range cfg.Receivers {
		t := &directTeller{
			to: receiver, problems: problems, told: map[string]*model.Stuck{}, logger: cfg.Logger.With("receiver", name),
			concerns: func(stuck *model.Stuck) bool { return cfg.Routes.To(name, stuck) },
		}
		tellers.Go(func() { t.run(ctx) })
	}
}

// directTeller tells one receiver.
type directTeller struct {
	to       notify.Receiver
	problems func() []state.Problem
	concerns func(*model.Stuck) bool
	logger   *slog.Logger

	told    map[string]*model.Stuck // what the receiver takes to be open
	renewed time.Time
}

func (t *directTeller) run(ctx context.Context) {
	pause := firstPause
	for {
		wait := directEvery
		if err := t.catchUp(ctx); err == nil {
			pause = firstPause
		} else if ctx.Err() == nil {
			t.logger.Warn("cannot tell what is wrong with the state; trying again", "error", err)
			wait = time.Duration(float64(pause) * (0.8 + 0.4*rand.Float64()))
			pause = min(2*pause, maxPause)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// catchUp tells the receiver what it does not know.
func (t *directTeller) catchUp(ctx context.Context) error {
	open := map[string]*model.Stuck{}
	for _, problem := range t.problems() {
		stuck := &model.Stuck{
			ID: problem.ID, Kind: problem.Kind, What: problem.What, Advice: problem.Advice,
			Owner: model.CloudOps, Since: problem.Since, FlaggedAt: problem.Since,
		}
		if t.concerns(stuck) {
			open[stuck.ID] = stuck
		}
	}
	for _, id := range slices.Sorted(maps.Keys(open)) {
		if t.told[id] != nil {
			continue
		}
		if err := t.send(ctx, notify.Opened, open[id], open[id].What); err != nil {
			return err
		}
		t.told[id] = open[id]
	}
	for _, id := range slices.Sorted(maps.Keys(t.told)) {
		if open[id] != nil {
			continue
		}
		if err := t.send(ctx, notify.Closed, t.told[id], id+": it is over"); err != nil {
			return err
		}
		delete(t.told, id)
	}
	return t.renew(ctx)
}

func (t *directTeller) send(ctx context.Context, change notify.Change, stuck *model.Stuck, text string) error {
	n := directNotice(change, stuck, text)
	err := t.to.Send(ctx, []notify.Notice{n})
	if errors.Is(err, notify.ErrRefused) {
		t.logger.Error("a notice is refused and left out", "notice", n.ID, "error", err)
		return nil
	}
	return err
}

// renew tells a receiver that forgets of all that is open when it is time to.
func (t *directTeller) renew(ctx context.Context) error {
	every := t.to.Renew()
	if every == 0 || len(t.told) == 0 || time.Since(t.renewed) < every {
		return nil
	}
	var notices []notify.Notice
	for _, id := range slices.Sorted(maps.Keys(t.told)) {
		notices = append(notices, directNotice(notify.Renewed, t.told[id], t.told[id].What))
	}
	err := t.to.Send(ctx, notices)
	if err == nil {
		t.renewed = time.Now()
	}
	return err
}

func directNotice(change notify.Change, stuck *model.Stuck, text string) notify.Notice {
	n := notify.Notice{ID: fmt.Sprintf("%s@%d.%s", stuck.ID, stuck.Since.UnixNano(), change), Change: change, At: stuck.Since, Text: text, Stuck: stuck}
	if change == notify.Closed {
		n.At = time.Now()
	}
	return n
}
