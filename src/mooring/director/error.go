package director

import (
	"errors"
	"fmt"
	"net/http"
)

// Codes of the Director's errors that callers tell apart.
const (
	CodeDeploymentNotFound = 70000
	CodeInstanceNotFound   = 70001
)

// Error is what the Director answered instead of doing what was asked.
type Error struct {
	Status int // HTTP
	Method string
	Path   string
	// Code and Description are the Director's own; Code is 0 when it gave
	// none.
	Code        int    `json:"code"`
	Description string `json:"description"`
}

// Error says what was asked, and the Director's text with its code.
func (e *Error) Error() string {
	text := e.Description
	if text == "" {
		text = http.StatusText(e.Status)
	}
	if e.Code != 0 {
		text = fmt.Sprintf("%s (code %d)", text, e.Code)
	}
	return fmt.Sprintf("the Director refused %s %s with status %d: %s", e.Method, e.Path, e.Status, text)
}

// NotFound reports whether what was asked about does not exist.
func NotFound(err error) bool {
	var refusal *Error
	return errors.As(err, &refusal) && refusal.Status == http.StatusNotFound
}

// unfit is what rules out what was asked for, and does not pass by waiting.
type unfit struct{ error }

// LockedError says that a deployment is in somebody else's hands.
type LockedError struct {
	Deployment string
	// Holder is the task that holds the lock or stands in line for it.
	Holder Task
}

// Error names the holder.
func (e *LockedError) Error() string {
	text := fmt.Sprintf("deployment %s is held by task %d%s", e.Deployment, e.Holder.ID, e.Holder.about())
	return text + "; wait for it, or see: bosh task " + fmt.Sprint(e.Holder.ID)
}

// TaskError is a task that did not end well.
type TaskError struct {
	Task Task
	// Last is the task's last event that says where it failed, if any did.
	Last Event
}

// Error gives the task, how it ended, and the Director's text.
func (e *TaskError) Error() string {
	text := fmt.Sprintf("BOSH task %d (%s) ended as %s", e.Task.ID, e.Task.Description, e.Task.State)
	switch {
	case e.Last.Error != nil:
		text += fmt.Sprintf(": %s (code %d)", e.Last.Error.Message, e.Last.Error.Code)
	case e.Task.Result != "":
		text += ": " + e.Task.Result
	}
	return text
}
