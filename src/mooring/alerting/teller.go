package alerting

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"mooring/model"
	"mooring/notify"
	"mooring/state"
)

// The pauses between attempts to reach a receiver double up to a bound that is
// short against what people notice.
const (
	firstPause = 500 * time.Millisecond
	maxPause   = 15 * time.Second
)

// teller tells one receiver.
type teller struct {
	line
	store  *state.Store
	lead   *state.Leadership
	to     notify.Receiver
	giveUp time.Duration
	logger *slog.Logger

	begun   bool      // there is a record of how far the receiver has been told
	failing bool      // and the record says so
	renewed time.Time // when the receiver was last told of all that is open
}

// run tells until ctx ends or the state cannot be read or written, and returns
// why.
func (t *teller) run(ctx context.Context) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	for {
		snap := t.store.Snapshot()
		notices, done, more := t.next(snap)
		for i := range notices {
			if err := t.tell(ctx, notices[i]); err != nil {
				return err
			}
		}
		if t.position = done; more {
			continue
		}
		if err := t.store.WaitUntil(ctx, snap.Revision(), t.renew(ctx, snap)); err != nil {
			return err
		}
	}
}

// begin finds out how far the receiver has been told. A new one is told of
// what is open, and from then on of what changes.
func (t *teller) begin(ctx context.Context) error {
	snap := t.store.Snapshot()
	if told := snap.Delivery(t.receiver); told != nil {
		t.begun, t.position, t.failing = true, told.After, !told.FailingSince.IsZero()
		return nil
	}
	t.position = newest(snap)
	for _, n := range t.open(snap, notify.Opened) {
		if !t.insist(ctx, n) {
			return ctx.Err()
		}
	}
	return t.note(ctx, &model.Delivery{After: t.position})
}

// tell delivers one notice and writes down that it did.
func (t *teller) tell(ctx context.Context, n notify.Notice) error {
	if !t.insist(ctx, n) {
		return ctx.Err()
	}
	t.position = n.ID
	return t.note(ctx, &model.Delivery{After: n.ID})
}

// insist sends a notice until it is taken, refused or too old; false means
// that ctx ended before.
func (t *teller) insist(ctx context.Context, n notify.Notice) bool {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := t.to.Send(ctx, []notify.Notice{n})
		switch {
		case err == nil:
			return true
		case ctx.Err() != nil:
			return false
		case errors.Is(err, notify.ErrRefused):
			t.logger.Error("a notice is refused and left out", "notice", n.ID, "stuck", n.Stuck.ID, "error", err)
			return true
		case time.Since(t.store.Snapshot().Seen(n.At)) > t.giveUp:
			t.logger.Error("a notice could not be delivered and is left out", "notice", n.ID, "stuck", n.Stuck.ID, "after", t.giveUp, "error", err)
			return true
		}
		t.logger.Warn("cannot deliver a notice; trying again", "notice", n.ID, "stuck", n.Stuck.ID, "error", err)
		t.fail(ctx, err)
		// Many receivers behind one broken network come back at different times.
		wait := time.NewTimer(time.Duration(float64(pause) * (0.8 + 0.4*rand.Float64())))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return false
		}
	}
}

// renew tells a receiver that forgets of all that is open when it is time to,
// and gives when it is next, zero when never.
func (t *teller) renew(ctx context.Context, snap *state.Snapshot) time.Time {
	every := t.to.Renew()
	if every == 0 {
		return time.Time{}
	}
	if due := t.renewed.Add(every); time.Now().Before(due) {
		return due
	}
	t.renewed = time.Now()
	open := t.open(snap, notify.Renewed)
	if len(open) == 0 {
		return t.renewed.Add(every)
	}
	if err := t.to.Send(ctx, open); err != nil && ctx.Err() == nil {
		t.logger.Warn("cannot say again what is stuck; trying again", "count", len(open), "error", err)
		t.fail(ctx, err)
		retry := min(every, maxPause)
		t.renewed = t.renewed.Add(retry - every)
		return time.Now().Add(retry)
	} else if err == nil && t.failing {
		// What cannot be written down is written down with the next notice.
		_ = t.note(ctx, &model.Delivery{After: t.position})
	}
	return t.renewed.Add(every)
}

// fail writes down that the receiver cannot be reached, once. A record of a
// receiver that was not told yet of what is open would say that it was.
func (t *teller) fail(ctx context.Context, cause error) {
	if t.failing || !t.begun {
		return
	}
	now := time.Now()
	record := &model.Delivery{After: t.position, FailingSince: now, Error: cause.Error()}
	if err := t.note(ctx, record); err != nil {
		t.logger.Warn("cannot write down that a receiver fails", "error", err)
	}
}

// note writes how far the receiver has been told.
func (t *teller) note(ctx context.Context, record *model.Delivery) error {
	record.Receiver, record.At = t.receiver, time.Now()
	for {
		tx := t.store.Snapshot().Txn()
		tx.Put(record)
		tx.As(t.lead)
		_, err := t.store.Commit(ctx, tx)
		if err == nil {
			t.begun, t.failing = true, !record.FailingSince.IsZero()
			return nil
		}
		if ctx.Err() != nil || errors.Is(err, state.ErrClosed) {
			return err
		}
		select {
		case <-time.After(firstPause):
			t.logger.Warn("cannot write down what was delivered; trying again", "error", err)
		case <-ctx.Done():
		}
	}
}
