package director

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

// States of a task. The last four are final.
const (
	StateQueued     = "queued"
	StateProcessing = "processing"
	StateCancelling = "cancelling"
	StateCancelled  = "cancelled"
	StateDone       = "done"
	StateError      = "error"
	StateTimeout    = "timeout"
)

// Task is one task of the Director.
type Task struct {
	ID          int    `json:"id"`
	State       string `json:"state"`
	Description string `json:"description"`
	Result      string `json:"result"`
	User        string `json:"user"`
	Deployment  string `json:"deployment"`
	ContextID   string `json:"context_id"`
}

// Final reports whether the task has ended.
func (t Task) Final() bool {
	switch t.State {
	case StateCancelled, StateDone, StateError, StateTimeout:
		return true
	}
	return false
}

// about says what the task does and who wants it, in brackets; "" when nothing
// is known of it.
func (t Task) about() string {
	switch {
	case t.Description == "":
		return ""
	case t.User == "":
		return fmt.Sprintf(" (%s)", t.Description)
	}
	return fmt.Sprintf(" (%s by %s)", t.Description, t.User)
}

// cancelled says, of a task that somebody cancels, whose it is.
func (t Task) cancelled() string {
	return fmt.Sprintf("BOSH task %d%s is being cancelled", t.ID, t.about())
}

// Event is one line of a task's event log.
type Event struct {
	Time  int64    `json:"time"`
	Stage string   `json:"stage"`
	Tags  []string `json:"tags"`
	Task  string   `json:"task"`  // such as "cell/UUID (0)"
	State string   `json:"state"` // "started", "in_progress", "finished", "failed"
	// Data says more of a step: how far it is, or why it failed.
	Data struct {
		Status string `json:"status"` // such as "executing pre-stop"
		Error  string `json:"error"`
	} `json:"data"`
	// Error is set on the line that says why the task failed.
	Error *EventError `json:"error"`
}

// EventError is why a task failed, by the Director's code.
type EventError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Task gives one task.
func (c *Client) Task(ctx context.Context, id int) (*Task, error) {
	task := &Task{}
	if err := c.get(ctx, path("tasks", strconv.Itoa(id)), nil, task); err != nil {
		return nil, err
	}
	return task, nil
}

// started gives the task that was started under a context ID, nil when none
// was.
func (c *Client) started(ctx context.Context, contextID string) (*Task, error) {
	var found []Task
	err := c.get(ctx, "/tasks", url.Values{"context_id": {contextID}, "verbose": {"2"}}, &found)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// Events gives the lines of a task's event log from byte offset on, and where
// to go on. A line that is not whole yet is left for the next time.
func (c *Client) Events(ctx context.Context, id int, offset int64) ([]Event, int64, error) {
	a, err := c.patiently(ctx, call{
		method: http.MethodGet, path: path("tasks", strconv.Itoa(id), "output"), query: url.Values{"type": {"event"}},
		header: map[string]string{"Range": fmt.Sprintf("bytes=%d-", offset)},
	})
	if err != nil {
		return nil, offset, err
	}
	switch a.status {
	case http.StatusRequestedRangeNotSatisfiable, http.StatusNoContent:
		return nil, offset, nil // nothing new
	case http.StatusOK: // all of it, from the beginning
		a.body = a.body[min(offset, int64(len(a.body))):]
	}
	whole := bytes.LastIndexByte(a.body, '\n') + 1
	var events []Event
	for line := range bytes.Lines(a.body[:whole]) {
		var event Event
		if json.Unmarshal(line, &event) == nil { // other lines are for people
			events = append(events, event)
		}
	}
	return events, offset + int64(whole), nil
}

// Follow waits until a task has ended and calls heard (which may be nil) with
// its events, those that are new at each look together, and cancelling (which
// may be nil) at each look while it is being cancelled. It outlasts a Director
// that goes away and comes back, or answers with anything but that there is no
// such task: the task goes on all the same. unheard (which may be nil) is told
// at every look why nobody hears of it, "" when somebody does. A task that did
// not end well is a *TaskError.
func (c *Client) Follow(ctx context.Context, id int, heard func([]Event), cancelling func(Task), unheard func(why string)) (*Task, error) {
	log := news{task: id}
	var last Event
	for {
		task, err := c.Task(ctx, id)
		if NotFound(err) {
			return nil, err
		}
		if unheard != nil {
			unheard(unheardOf(id, err))
		}
		if err == nil {
			events := log.next(ctx, c)
			for _, event := range events {
				if event.Error != nil || event.State == "failed" {
					last = event
				}
			}
			if heard != nil && len(events) > 0 {
				heard(events)
			}
			switch {
			case task.State == StateDone:
				return task, nil
			case task.Final():
				return task, &TaskError{Task: *task, Last: last}
			case task.State == StateCancelling && cancelling != nil:
				cancelling(*task)
			}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("following BOSH task %d: %w", id, context.Cause(ctx))
		case <-time.After(c.poll):
		}
	}
}

// unheardOf says that a task cannot be followed, "" when it can.
func unheardOf(id int, err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf("BOSH task %d goes on, and cannot be followed: %s", id, err)
}

// Cancel asks for a task to be cancelled. BOSH lets scripts that run end first.
func (c *Client) Cancel(ctx context.Context, id int) error {
	_, err := c.patiently(ctx, call{method: http.MethodDelete, path: path("task", strconv.Itoa(id))})
	return err
}

var taskPath = regexp.MustCompile(`/tasks/(\d+)$`)

// taskIn gives the task that an answer redirects to. Only the path counts.
func taskIn(a *answer) (int, error) {
	location := a.header.Get("Location")
	target, err := url.Parse(location)
	if err == nil && a.status >= 300 && a.status < 400 {
		if match := taskPath.FindStringSubmatch(target.Path); match != nil {
			return strconv.Atoi(match[1])
		}
	}
	return 0, fmt.Errorf("the Director answered with status %d and location %q instead of a task", a.status, location)
}
