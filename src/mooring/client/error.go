package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Error is what the API answered instead of doing what was asked
// (application/problem+json). Nothing was changed.
type Error struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	// Detail is one sentence: what was attempted, on what, what to do.
	Detail string       `json:"detail"`
	Errors []FieldError `json:"errors,omitempty"`
}

// FieldError is one fault in a request.
type FieldError struct {
	Message string `json:"message"`
	// Location is where in the request, such as "body.instances".
	Location string `json:"location,omitempty"`
}

// Error gives the detail and every fault, on one line.
func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	faults := make([]string, 0, len(e.Errors))
	for _, fault := range e.Errors {
		if fault.Location != "" {
			faults = append(faults, fault.Location+": "+fault.Message)
		} else {
			faults = append(faults, fault.Message)
		}
	}
	if len(faults) > 0 {
		text += ": " + strings.Join(faults, "; ")
	}
	return text
}

// HasStatus reports whether err is an answer of the API with this HTTP status.
func HasStatus(err error, status int) bool {
	var answer *Error
	return errors.As(err, &answer) && answer.Status == status
}

// NotFound reports whether what was asked for does not exist.
func NotFound(err error) bool { return HasStatus(err, http.StatusNotFound) }

// NotLoggedIn reports whether the API does not know who called.
func NotLoggedIn(err error) bool { return HasStatus(err, http.StatusUnauthorized) }

// Superseded reports whether the API refused a cell's report because a newer
// agent has registered for the cell, or the cell was declared lost: the agent
// must stop what may run elsewhere and exit.
func Superseded(err error) bool { return HasStatus(err, http.StatusConflict) }

// Refused reports whether the API understood who called and will not have what
// it was sent: sending the same again is useless.
func Refused(err error) bool {
	var answer *Error
	if !errors.As(err, &answer) || answer.Status < 400 || answer.Status > 499 {
		return false
	}
	switch answer.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return false
	}
	return true
}

// readError makes the error of an answer that is not a success.
func readError(response *http.Response, content []byte) error {
	answer := &Error{}
	if json.Unmarshal(content, answer) != nil || answer.Title == "" && answer.Detail == "" {
		text := strings.TrimSpace(string(content))
		if len(text) > 500 {
			text = text[:500] + "..."
		}
		answer = &Error{Title: http.StatusText(response.StatusCode), Detail: fmt.Sprintf("the API answered %s: %s", response.Status, text)}
	}
	answer.Status = response.StatusCode
	return answer
}
