package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// request is one call before an endpoint is chosen.
type request struct {
	method string
	path   string // escaped, with a leading slash
	query  url.Values
	body   any // JSON, nil for none
	accept string
	// again says that sending it twice does no harm, so that a connection
	// that broke in the middle is no reason to give up.
	again bool
}

// pathOf joins segments into an escaped path.
func pathOf(segments ...string) string {
	escaped := make([]string, len(segments))
	for i, segment := range segments {
		escaped[i] = url.PathEscape(segment)
	}
	return "/v1/" + strings.Join(escaped, "/")
}

// list gets a JSON array.
func list[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	var all []T
	err := c.do(ctx, request{method: http.MethodGet, path: path, query: query, again: true}, &all)
	return all, err
}

// one makes a call that is answered with one object; nil on any error.
func one[T any](ctx context.Context, c *Client, r request) (*T, error) {
	answer := new(T)
	if err := c.do(ctx, r, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// do makes a call and decodes the answer into out unless it is nil.
func (c *Client) do(ctx context.Context, r request, out any) error {
	response, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("reading the API's answer to %s %s: %w", r.method, r.path, err)
	}
	if out == nil || response.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.Unmarshal(content, out); err != nil {
		return fmt.Errorf("reading the API's answer to %s %s: %w", r.method, r.path, err)
	}
	return nil
}

// send tries the endpoints, beginning with the one that answered last, until
// one gives an answer that is not its own unavailability. The answer it
// returns is a success; any other is an *Error.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return nil, fmt.Errorf("writing the request %s %s: %w", r.method, r.path, err)
		}
	}
	first := int(c.good.Load())
	var failures []error
	for i := range c.endpoints {
		at := (first + i) % len(c.endpoints)
		response, err := c.sendTo(ctx, c.endpoints[at], r, body)
		if err == nil {
			c.good.Store(int32(at))
			return response, nil
		}
		if ctx.Err() != nil {
			// An endpoint that did not answer in time is not asked first again.
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				c.good.Store(int32((at + 1) % len(c.endpoints)))
			}
			return nil, err
		}
		var answer *Error
		if errors.As(err, &answer) && answer.Status != http.StatusServiceUnavailable {
			c.good.Store(int32(at))
			return nil, err
		}
		failures = append(failures, err)
		if answer == nil && !r.again && !neverSent(err) {
			break
		}
	}
	if len(failures) == 1 {
		return nil, failures[0]
	}
	return nil, fmt.Errorf("no endpoint of the API answered: %w", errors.Join(failures...))
}

func (c *Client) sendTo(ctx context.Context, endpoint *url.URL, r request, body []byte) (*http.Response, error) {
	target := endpoint.String() + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	sent, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("calling the API at %s: %w", endpoint, err)
	}
	if r.body != nil {
		sent.Header.Set("Content-Type", "application/json")
	}
	if r.accept != "" {
		sent.Header.Set("Accept", r.accept)
	}
	if c.token != "" {
		sent.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(sent)
	if err != nil {
		return nil, fmt.Errorf("calling the API at %s: %w", endpoint, err)
	}
	if response.StatusCode < 300 {
		return response, nil
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("reading the answer %s of the API at %s: %w", response.Status, endpoint, err)
	}
	return nil, readError(response, content)
}

// neverSent reports whether a failed call cannot have reached its endpoint.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
