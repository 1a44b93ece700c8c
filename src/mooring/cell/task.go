package cell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"mooring/container/handler"
	"mooring/model"
)

// handling is a handler at work.
type handling struct {
	cancel context.CancelFunc
	permit string
	ending bool // told to end
	undo   bool // it is the cancel command

	mu   sync.Mutex
	said handler.Status
}

// end tells the handler to end; that it has is an event of its own.
func (h *handling) end() {
	h.ending = true
	h.cancel()
}

func (h *handling) latest() handler.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.said
}

// accept takes a task on.
func (d *driver) accept(w *want, now time.Time) {
	d.Disruption = &model.ActualDisruption{
		PermitID: w.Task.PermitID, State: model.TaskAsked, Progress: -1, StartedAt: now,
	}
}

// handle runs the task's handler, in the background.
func (d *driver) handle(ctx context.Context, task model.Task) {
	ctx, cancel := context.WithCancel(ctx)
	h := &handling{cancel: cancel, permit: task.PermitID}
	d.handler = h
	bounds := task.Handler.WithDefaults(task.Kind)
	limits := handler.Limits{Timeout: bounds.Timeout.D(), ProgressTimeout: bounds.ProgressTimeout.D()}
	attempt, err := d.attempt(task, handler.NewNotice(task, limits, time.Now()))
	if err != nil {
		// Not reached: the notice is made of plain values.
		attempt = func(context.Context, func(string)) error { return err }
	}
	d.log.Info("telling the instance", "kind", task.Kind, "permit", task.PermitID)
	go func() {
		defer cancel()
		status := handler.Run(ctx, limits, attempt, func(status handler.Status) {
			h.mu.Lock()
			h.said = status
			h.mu.Unlock()
			d.wake()
		})
		d.post(func() { d.handled(status) })
	}()
}

// attempt gives what tells the instance once. What a handler prints also goes
// to the instance's log.
func (d *driver) attempt(task model.Task, notice handler.Notice) (handler.Attempt, error) {
	var tell handler.Attempt
	if task.Handler.HTTP != "" {
		tell = handler.HTTP("http://"+d.firstPort()+"/"+strings.TrimPrefix(task.Handler.HTTP, "/"), notice)
	} else {
		env, err := notice.Env()
		if err != nil {
			return nil, err
		}
		tell = handler.Command(d.instance, task.Handler.Command, env)
	}
	path := d.agent.runtime.LogPath(d.Work.GUID)
	return func(ctx context.Context, line func(string)) error {
		log, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return tell(ctx, line) // a log that cannot be written stops no handler
		}
		defer log.Close()
		return tell(ctx, func(text string) {
			_, _ = io.WriteString(log, "["+string(task.Kind)+"] "+text+"\n")
			line(text)
		})
	}, nil
}

// firstPort is host:port of the instance's first port.
func (d *driver) firstPort() string {
	port := 0
	if len(d.Work.Ports) > 0 {
		port = d.Work.Ports[0]
	}
	return net.JoinHostPort(d.agent.cfg.Cell.Address, strconv.Itoa(port))
}

// heard takes what the handler has shown so far into the report. Hung,
// overdue and failed are said at once; that it is done is believed only when
// nothing of it runs any more.
func (d *driver) heard(status handler.Status) {
	r := d.Disruption
	if r == nil || d.handler == nil || r.PermitID != d.handler.permit || status.Attempt == 0 {
		return
	}
	r.Attempt, r.Progress, r.Message = status.Attempt, status.Progress, status.Message
	r.StartedAt, r.ProgressAt, r.FlaggedAt = status.StartedAt, status.ProgressAt, status.FlaggedAt
	r.Output, r.Error = status.Output, status.Error
	if r.State != model.TaskRunning {
		return
	}
	switch status.Verdict {
	case handler.Hung:
		r.State = model.TaskHung
	case handler.Overdue:
		r.State = model.TaskOverdue
	case handler.Failed:
		r.State = model.TaskFailed
	default:
		return
	}
	d.log.Warn("handler is stuck", "permit", r.PermitID, "state", r.State, "error", r.Error)
}

// handled takes the end of a handler.
func (d *driver) handled(status handler.Status) {
	d.heard(status)
	if r := d.Disruption; status.Verdict == handler.Done && r != nil && r.PermitID == d.handler.permit && r.State == model.TaskRunning {
		r.State, r.Grace = model.TaskStopping, model.Duration(d.agent.cfg.StopGrace)
	}
	d.handler = nil
}

// undoWithin is how long the cancel command of a handler may take.
const undoWithin = 30 * time.Second

// undo runs the cancel command of a task's handler, in the background.
func (d *driver) undo(ctx context.Context, task model.Task) {
	ctx, cancel := context.WithTimeout(ctx, undoWithin)
	d.handler = &handling{cancel: cancel, undo: true}
	notice := handler.NewNotice(task, handler.Limits{Timeout: undoWithin}, time.Now())
	task.Handler = &model.Handler{Command: task.Handler.Cancel}
	attempt, err := d.attempt(task, notice)
	if err != nil {
		// Not reached: the notice is made of plain values.
		attempt = func(context.Context, func(string)) error { return err }
	}
	d.log.Info("telling the instance that it goes on", "permit", task.PermitID)
	go func() {
		defer cancel()
		err := attempt(ctx, func(string) {})
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("not done after %s", undoWithin)
		}
		d.post(func() { d.undone(err) })
	}()
}

// undone takes the end of a cancel command. It is not tried again: who is told
// of its failure looks at the instance.
func (d *driver) undone(err error) {
	if d.handler.ending {
		err = errors.New("it was ended, since the instance is to be stopped")
	}
	d.handler, d.Undo = nil, nil
	r := d.Disruption
	if r == nil {
		return
	}
	r.Cancel = model.CancelDone
	if err != nil {
		r.Cancel, r.CancelError = model.CancelFailed, err.Error()
		d.log.Warn("what a handler has done is not taken back", "permit", r.PermitID, "error", err)
	}
}
