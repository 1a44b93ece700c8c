package director

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"mooring/model"
)

// Hands acts on the hosts of a Director's deployments, one task of a
// deployment at a time, however many are asked for. Its zero value but for
// Client is ready.
type Hands struct {
	Client *Client
	// LockPatience is how long an action on one instance, whose cell stands
	// quiet, waits for a deployment that somebody else holds; 0 means 5 m. A
	// Director that does not answer is waited for as long as it takes.
	LockPatience time.Duration

	mu     sync.Mutex
	queues map[string]chan struct{}
}

// Check refuses what could not be done: a group that is not there and, for
// actions on single instances, a Director that is too old for them.
func (h *Hands) Check(ctx context.Context, deployment, group string, single bool) error {
	if _, err := h.Client.Group(ctx, deployment, group); err != nil {
		return err
	}
	if !single {
		return nil
	}
	info, err := h.Client.Info(ctx)
	if err != nil {
		return err
	}
	return info.CheckSafeRestarts()
}

// Observer is told how the task of a whole group goes. It is an alias, so that
// whoever asks for one can name the same type without this package.
type Observer = interface {
	// Passes: the instances that the task is to pass over, asked for just before
	// it starts, and those that BOSH ignores for that since an earlier try.
	Passes() (which, ignored []string)
	// Ignores: BOSH is about to be told to ignore these for it, and no others.
	// An error keeps it from being told.
	Ignores(ids []string) error
	// Begun: what it is to do is settled; no instance need be ignored for it any
	// more.
	Begun()
	// Waits: what it waits for before the task can start, "" when it has.
	Waits(why string)
	// Cancelling: somebody cancels it; told at every look.
	Cancelling(why string)
	// Unheard: why nobody hears of it while it goes on, "" when that is over.
	Unheard(why string)
	// Heard: the last that it logs of each instance, and under "" of itself.
	Heard(last map[string]model.HostTask)
	// Failed: BOSH has failed on an instance, while those in flight with it go
	// on.
	Failed(id, why string)
}

// Act restarts or recreates one instance and returns when that is complete.
// once names the asking: asked twice for the same, it is done once. silent says
// that the instance's agent need not answer: one that is recreated is deleted
// then without it. say, unless nil, is told what it waits for before the task
// can start, or why nobody hears of it, "" when neither is so.
func (h *Hands) Act(ctx context.Context, deployment, group, id, action, once string, silent bool, say func(waits string)) error {
	if say == nil {
		say = func(string) {}
	}
	leave, err := h.queue(ctx, deployment)
	if err != nil {
		return fmt.Errorf("%s %s/%s: %w", action, group, id, err)
	}
	defer leave()
	patience := h.LockPatience
	if patience == 0 {
		patience = 5 * time.Minute
	}
	task, err := h.started(ctx, once, patience, say, func() (int, error) {
		if err := h.Check(ctx, deployment, group, true); err != nil {
			return 0, err
		}
		return h.Client.ActOnInstance(ctx, deployment, group, id, action, once, silent)
	})
	if err == nil {
		say("")
		_, err = h.Client.Follow(ctx, task, nil, nil, say)
	}
	if err != nil {
		return fmt.Errorf("%s %s/%s: %w", action, group, id, err)
	}
	return nil
}

// updating is the stage in which BOSH takes the instances of a group, having
// settled which.
const updating = "Updating instance"

// Converge restarts or recreates a whole group in one task, with as many
// instances of an AZ at once as there are: the gates of the cells give the
// order. It returns when the task has ended.
func (h *Hands) Converge(ctx context.Context, deployment, group, action, once string, watch Observer) error {
	leave, err := h.queue(ctx, deployment)
	if err != nil {
		return fmt.Errorf("%s %s: %w", action, group, err)
	}
	defer leave()
	task, err := h.started(ctx, once, 0, watch.Waits, func() (int, error) {
		if err := h.Check(ctx, deployment, group, false); err != nil {
			return 0, err
		}
		undo, err := h.passOver(ctx, deployment, group, watch)
		task := 0
		if err == nil {
			task, err = h.Client.ConvergeGroup(ctx, deployment, group, action, "100%", once)
		}
		if err != nil && !passing(err) {
			undo()
		}
		return task, err
	})
	if err == nil {
		watch.Waits("")
		watch.Heard(map[string]model.HostTask{"": {ID: task}})
		_, err = h.Client.Follow(ctx, task, func(events []Event) {
			watch.Heard(lastOf(task, events))
			for _, event := range events {
				of, id := event.instance()
				if of == group && event.Stage == updating {
					watch.Begun()
				}
				if of == group && event.State == "failed" {
					watch.Failed(id, fmt.Sprintf("BOSH task %d failed on %s/%s and goes on with those in flight: %s", task, group, id, event.Data.Error))
				}
			}
		}, func(task Task) { watch.Cancelling(task.cancelled()) }, watch.Unheard)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", action, group, err)
	}
	return nil
}

// Withdraw cancels the task that Converge started under once, if it started
// one, and returns when that has ended. say is told what it waits for, ""
// when nothing is in its way.
func (h *Hands) Withdraw(ctx context.Context, once string, say func(waits string)) error {
	cancelled := false
	for {
		task, err := h.Client.started(ctx, nameOf(once))
		if err == nil && (task == nil || task.Final()) {
			return nil
		}
		if err == nil && !cancelled && task.State != StateCancelling {
			err = h.Client.Cancel(ctx, task.ID)
			cancelled = err == nil
		}
		switch {
		case err == nil:
			say("")
		case passing(err) || NotFound(err): // gone meanwhile: look again
			say(err.Error())
		default:
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(h.Client.poll):
		}
	}
}

// WatchTask watches the task that holds a deployment, and tells cancelling at
// every look that it is being cancelled: BOSH lets scripts that run end first,
// so whoever waits in one has to be told. heard is told the last that the task
// logs of each instance. It returns, with how that was, when the task has ended
// other than well.
func (h *Hands) WatchTask(ctx context.Context, deployment string, cancelling func(why string), heard func(map[string]model.HostTask)) (ended string, err error) {
	var task *Task
	var log news
	for {
		found, err := task, error(nil)
		if task == nil {
			found, err = h.Client.holder(ctx, deployment)
		} else {
			found, err = h.Client.Task(ctx, task.ID)
		}
		// Of a task that is known, nothing is missed: whatever the Director
		// answers meanwhile, it goes on.
		if err != nil && (task == nil && !passing(err) || NotFound(err)) {
			return "", err
		}
		if err == nil && found != nil {
			if log.task != found.ID {
				log = news{task: found.ID}
			}
			if last := lastOf(found.ID, log.next(ctx, h.Client)); len(last) > 0 {
				heard(last)
			}
		}
		switch {
		case err != nil || found == nil:
		case found.State == StateDone:
			task = nil
		case found.Final():
			return fmt.Sprintf("BOSH task %d%s ended as %s", found.ID, found.about(), found.State), nil
		default:
			task = found
			if found.State == StateCancelling {
				cancelling(found.cancelled())
			}
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-time.After(h.Client.poll):
		}
	}
}

// started gives the task of an asking: the one that was started before, also
// when that could not be asked for any more, or a new one as soon as the
// Director answers and the deployment is free. It gives up on a deployment that
// has been somebody else's for longer than patience (never when that is 0).
func (h *Hands) started(ctx context.Context, once string, patience time.Duration, say func(string), start func() (int, error)) (int, error) {
	var until time.Time // the holder is to be gone
	for {
		task := 0
		before, err := h.Client.started(ctx, nameOf(once))
		switch {
		case err != nil:
		case before != nil:
			return before.ID, nil
		default:
			task, err = start()
		}
		var locked *LockedError
		switch {
		case err == nil:
			return task, nil
		case errors.As(err, &locked):
			if until.IsZero() {
				until = time.Now().Add(patience)
			}
			if patience > 0 && time.Now().After(until) {
				return 0, err
			}
		case passing(err):
			until = time.Time{}
		default:
			return 0, err
		}
		say(err.Error())
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(3 * h.Client.poll):
		}
	}
}

// queue waits for the turn of one deployment, and gives what ends it.
func (h *Hands) queue(ctx context.Context, deployment string) (leave func(), err error) {
	h.mu.Lock()
	if h.queues == nil {
		h.queues = map[string]chan struct{}{}
	}
	turn := h.queues[deployment]
	if turn == nil {
		turn = make(chan struct{}, 1)
		h.queues[deployment] = turn
	}
	h.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
