package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	// sendWithin is how long a client may take to take one message.
	sendWithin = 30 * time.Second
	// quiet is how long a stream may send nothing: a comment then keeps proxies
	// from closing it, and finds clients that went away.
	quiet = 15 * time.Second
)

// sender sends the messages of one stream, from one goroutine.
type sender struct {
	w             http.ResponseWriter
	within, quiet time.Duration
	last          time.Time // when something was last sent
}

// stream serves server-sent events. begin refuses a request like any other
// operation does, or gives what sends the messages: it returns when there is
// nothing more to say, or what it cannot go on with, and ends the stream.
func stream[In any](routes huma.API, op huma.Operation, messages map[string]any, begin func(context.Context, *In) (func(*sender) error, error)) {
	op.Responses = map[string]*huma.Response{"200": {
		Description: "Messages, whose data is one of these by the event's name",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: messageSchema(routes, messages)}},
	}}
	huma.Register(routes, op, func(ctx context.Context, in *In) (*huma.StreamResponse, error) {
		serve, err := begin(ctx, in)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(out huma.Context) {
			out.SetHeader("Content-Type", "text/event-stream")
			out.SetHeader("Cache-Control", "no-store")
			_, w := humago.Unwrap(out)
			// Why it ended is for the next connection to find out.
			_ = serve(&sender{w: w, within: sendWithin, quiet: quiet, last: time.Now()})
		}}, nil
	})
}

func messageSchema(routes huma.API, messages map[string]any) *huma.Schema {
	schema := &huma.Schema{}
	var names []string
	for name := range messages {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		of := routes.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(messages[name]), true, name)
		schema.OneOf = append(schema.OneOf, &huma.Schema{
			Type: huma.TypeObject, Title: name,
			Properties: map[string]*huma.Schema{"event": {Type: huma.TypeString, Enum: []any{name}}, "id": {Type: huma.TypeString}, "data": of},
			Required:   []string{"event", "data"},
		})
	}
	return schema
}

// send sends one message in the format of server-sent events: what kind it is,
// the id a client may go on from ("" for none) and its data in one line. No kind
// and no data is a comment.
func (s *sender) send(event, id string, data []byte) error {
	var text bytes.Buffer
	if event == "" {
		text.WriteString(": still here\n\n")
	} else {
		fmt.Fprintf(&text, "event: %s\n", event)
		if id != "" {
			fmt.Fprintf(&text, "id: %s\n", id)
		}
		fmt.Fprintf(&text, "data: %s\n\n", data)
	}
	control := http.NewResponseController(s.w)
	// A reader that takes nothing is not waited for.
	if err := control.SetWriteDeadline(time.Now().Add(s.within)); err != nil {
		return err
	}
	if _, err := s.w.Write(text.Bytes()); err != nil {
		return err
	}
	if err := control.Flush(); err != nil {
		return err
	}
	s.last = time.Now()
	// HTTP/2 ends a stream whose deadline passes also while nothing is written.
	return control.SetWriteDeadline(time.Time{})
}

// await returns when wait does. As often as nothing was sent for a while it sends
// a comment, however often wait has returned meanwhile, or returns why that is
// not to go on.
func (s *sender) await(ctx context.Context, wait func(context.Context) error, failed func() error) error {
	for {
		waiting, cancel := context.WithDeadline(ctx, s.last.Add(s.quiet))
		err := wait(waiting)
		silent := waiting.Err() != nil
		cancel()
		if !silent || ctx.Err() != nil {
			return err
		}
		if err := failed(); err != nil {
			return err // another node may do better
		}
		if err := s.send("", "", nil); err != nil {
			return err
		}
	}
}
