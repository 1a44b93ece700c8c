package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// sseMessage is one message of a stream of server-sent events.
type sseMessage struct {
	event string
	data  string
}

func (m sseMessage) decode(out any) error {
	if err := json.Unmarshal([]byte(m.data), out); err != nil {
		return fmt.Errorf("reading a message of the API's stream: %w", err)
	}
	return nil
}

// silence is how long a stream may say nothing at all; the API sends a comment
// every 15 seconds, so one that is silent for longer has lost its other end.
const silence = 45 * time.Second

// stream calls each with the messages of one connection until it ends; that
// it ended is an error too.
func (c *Client) stream(ctx context.Context, path string, query url.Values, each func(sseMessage) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watchdog := time.AfterFunc(silence, cancel)
	defer watchdog.Stop()
	response, err := c.send(ctx, request{method: http.MethodGet, path: path, query: query, accept: "text/event-stream", again: true})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	reader := bufio.NewReader(response.Body)
	var message sseMessage
	for {
		line, err := reader.ReadString('\n')
		watchdog.Reset(silence)
		if err == io.EOF {
			return fmt.Errorf("the API ended the stream %s: %w", path, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return fmt.Errorf("reading the API's stream %s: %w", path, err)
		}
		line = strings.TrimRight(line, "\r\n")
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			if message.data != "" {
				if err := each(message); err != nil {
					return err
				}
			}
			message = sseMessage{}
		case field == "event":
			message.event = value
		case field == "data" && message.data != "":
			message.data += "\n" + value
		case field == "data":
			message.data = value
		}
	}
}
