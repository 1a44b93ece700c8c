package handler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mooring/container"
)

// CancelGrace is how long a command has between TERM and KILL when its
// handler is cancelled, hung or overdue.
const CancelGrace = 2 * time.Second

// Executor runs a command in an instance; container.Instance is one.
type Executor interface {
	Exec(ctx context.Context, command container.Command) error
}

// Command is a handler that is a command. Exit status 0 means that the
// instance is ready to be stopped.
func Command(in Executor, command string, env []string) Attempt {
	return func(ctx context.Context, line func(string)) error {
		lines := &lineWriter{line: line}
		err := in.Exec(ctx, container.Command{Text: command, Env: env, Grace: CancelGrace, Out: lines})
		lines.end()
		return err
	}
}

// HTTP is a handler that is an endpoint of the instance: the notice is POSTed
// to it as JSON. It answers 2xx and may stream lines while it works; the end
// of the answer means that the instance is ready to be stopped. A last line
// {"error": "..."}, and an answer that breaks off, are failures. Errors say
// neither where the endpoint is nor what it wrote: that is for those who may see
// the app's handlers and output, and errors are for everybody.
func HTTP(endpoint string, notice Notice) Attempt {
	return func(ctx context.Context, line func(string)) error {
		body, err := json.Marshal(notice)
		if err != nil {
			return fmt.Errorf("writing the notice for the handler: %w", err)
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
		if err != nil {
			return errors.New("asking the handler's endpoint: it is not an address; mend the handler's http")
		}
		request.Header.Set("Content-Type", "application/json")
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(request)
		if err != nil {
			var named *url.Error
			if errors.As(err, &named) {
				err = named.Err
			}
			return fmt.Errorf("asking the handler's endpoint: %w", err)
		}
		defer response.Body.Close()
		last := ""
		lines := &lineWriter{line: func(text string) { last = text; line(text) }}
		_, err = io.Copy(lines, response.Body)
		lines.end()
		if err != nil {
			return fmt.Errorf("the answer of the handler's endpoint broke off: %w", err)
		}
		if response.StatusCode/100 != 2 {
			return fmt.Errorf("the handler's endpoint answered %s", response.Status)
		}
		return saidError(last)
	}
}

// saidError returns the failure that a closing line declares. What the line says
// is part of the output.
func saidError(line string) error {
	var said struct {
		Error string `json:"error"`
	}
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &said) != nil || said.Error == "" {
		return nil
	}
	return errors.New("the handler says in its last line that it failed")
}
