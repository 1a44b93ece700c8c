package fakedirector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// task is one task of the Director. Its fields are guarded by the Director's
// mutex.
type task struct {
	d           *Director
	id          int
	state       string
	description string
	result      string
	user        string
	context     string
	events      []byte
	listed      []byte // what it was started to find out
	skipDrain   bool   // with pre-stop
}

// boshError is an error in BOSH's own words.
type boshError string

func (e boshError) Error() string { return string(e) }

func boshSays(format string, args ...any) error { return boshError(fmt.Sprintf(format, args...)) }

var errCancelled = errors.New("task cancelled")

// submit queues a task, which may need the deployment's lock.
func (d *Director) submit(description, user, contextID string, locks bool, run func(*task) error) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := &task{d: d, id: len(d.tasks) + 1, state: "queued", description: description, user: user, context: contextID}
	d.tasks = append(d.tasks, t)
	if d.ctx.Err() != nil {
		return t.id
	}
	d.running.Go(func() {
		select {
		case d.workers <- struct{}{}:
			defer func() { <-d.workers }()
		case <-d.ctx.Done():
			return
		}
		err := t.checkpoint()
		if err == nil {
			t.become("processing")
			if locks {
				err = t.lock()
			}
		}
		if err == nil {
			err = run(t)
			t.unlock()
		}
		t.end(err)
	})
	return t.id
}

// lock takes the deployment's lock, or fails as BOSH does when somebody else
// holds it for too long.
func (t *task) lock() error {
	timeout := time.After(t.d.cfg.LockTimeout)
	for {
		t.d.mu.Lock()
		if t.d.holder == nil {
			t.d.holder = t
			t.d.mu.Unlock()
			return nil
		}
		holder, freed := t.d.holder, t.d.freed
		t.d.mu.Unlock()
		select {
		case <-freed:
		case <-timeout:
			return boshSays("Failed to acquire lock for lock:deployment:%s uid: fake. Locking task id is %d, description: '%s'", t.d.cfg.Deployment, holder.id, holder.description)
		case <-t.d.ctx.Done():
			return t.d.ctx.Err()
		}
	}
}

func (t *task) unlock() {
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	if t.d.holder == t {
		t.d.holder = nil
		close(t.d.freed)
		t.d.freed = make(chan struct{})
	}
}

// checkpoint is where a task notices that it was cancelled.
func (t *task) checkpoint() error {
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	if t.state == "cancelling" || t.state == "timeout" {
		return errCancelled
	}
	return t.d.ctx.Err()
}

func (t *task) become(state string) {
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	if t.state != "cancelling" {
		t.state = state
	}
}

func (t *task) end(err error) {
	if err != nil && !errors.Is(err, errCancelled) {
		t.log(map[string]any{"error": map[string]any{"code": 450001, "message": err.Error()}})
	}
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	switch {
	case t.state == "timeout": // nobody was there to see it
	case err == nil:
		t.state = "done"
	case errors.Is(err, errCancelled):
		t.state, t.result = "cancelled", fmt.Sprintf("Task %d cancelled", t.id)
	default:
		t.state, t.result = "error", err.Error()
	}
}

// log adds a line to the event log.
func (t *task) log(fields map[string]any) {
	fields["time"] = time.Now().Unix()
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err) // what is logged here is all text
	}
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	t.events = append(append(t.events, line...), '\n')
}

// track runs one step of a stage of a group between its events. advance logs how
// far it is.
func (t *task) track(stage, group, step string, run func(advance func(status string)) error) error {
	entry := func(state string, data map[string]string) {
		line := map[string]any{"stage": stage, "tags": []string{group}, "task": step, "state": state}
		if data != nil {
			line["data"] = data
		}
		t.log(line)
	}
	entry("started", nil)
	if err := run(func(status string) { entry("in_progress", map[string]string{"status": status}) }); err != nil {
		entry("failed", map[string]string{"error": err.Error()})
		return err
	}
	entry("finished", nil)
	return nil
}

// Cancel cancels a task as DELETE /task/ID does.
func (d *Director) Cancel(id int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.tasks[id-1]; t.state == "queued" || t.state == "processing" {
		t.state = "cancelling"
	}
}

// State gives the state of a task and its result.
func (d *Director) State(id int) (state, result string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tasks[id-1]
	return t.state, t.result
}

// Tasks counts the tasks that were started.
func (d *Director) Tasks() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.tasks)
}

// Wait returns when a task has ended, with its error unless it is done.
func (d *Director) Wait(ctx context.Context, id int) error {
	for {
		state, result := d.State(id)
		switch state {
		case "done":
			return nil
		case "error", "cancelled", "timeout":
			return fmt.Errorf("task %d is %s: %s", id, state, result)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("task %d is %s: %w", id, state, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
