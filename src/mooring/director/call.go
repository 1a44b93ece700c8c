package director

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// call is one request to the Director.
type call struct {
	method string
	path   string
	query  url.Values
	header map[string]string
	body   []byte
	open   bool // needs no login
}

// answer is what came back, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// get decodes the answer to a call that only reads, tried again while the
// Director does not answer.
func (c *Client) get(ctx context.Context, path string, query url.Values, out any) error {
	a, err := c.patiently(ctx, call{method: http.MethodGet, path: path, query: query})
	if err != nil {
		return err
	}
	return decode(path, a, out)
}

func decode(path string, a *answer, out any) error {
	if err := json.Unmarshal(a.body, out); err != nil {
		return fmt.Errorf("reading the Director's answer to %s: %w", path, err)
	}
	return nil
}

// patiently makes a call that does no harm when it is made twice.
func (c *Client) patiently(ctx context.Context, r call) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.retry)
	defer cancel()
	var before error
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		a, err := c.do(ctx, r)
		if err == nil || !passing(err) {
			return a, err
		}
		if ctx.Err() == nil || before == nil {
			before = err // what is said at the end is no more than that it is the end
		}
		select {
		case <-ctx.Done():
			return nil, before
		case <-time.After(pause):
		}
	}
}

// passing reports whether an error is of the Director's absence, or of its own
// making where it was only asked to read, rather than an answer.
func passing(err error) bool {
	var refusal *Error
	if errors.As(err, &refusal) {
		switch refusal.Status {
		case http.StatusInternalServerError:
			return refusal.Method == http.MethodGet
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	var untrusted *tls.CertificateVerificationError
	var no unfit
	return !errors.Is(err, errLogin) && !errors.As(err, &untrusted) && !errors.As(err, &no)
}

// do makes a call once, with a login; one that is refused is renewed once.
func (c *Client) do(ctx context.Context, r call) (*answer, error) {
	for again := false; ; again = true {
		authorization := ""
		if !r.open {
			var err error
			if authorization, err = c.authorization(ctx, again); err != nil {
				return nil, err
			}
		}
		a, err := c.send(ctx, r, authorization)
		if err != nil {
			return nil, err
		}
		if a.status == http.StatusUnauthorized && !again && !r.open {
			continue
		}
		if a.status < 400 || a.status == http.StatusRequestedRangeNotSatisfiable {
			return a, nil
		}
		refusal := &Error{Status: a.status, Method: r.method, Path: r.path}
		if json.Unmarshal(a.body, refusal) != nil {
			refusal.Description = shorten(string(a.body))
		}
		return nil, refusal
	}
}

func (c *Client) send(ctx context.Context, r call, authorization string) (*answer, error) {
	target := *c.base
	target.Path += r.path
	target.RawQuery = r.query.Encode()
	sent, err := http.NewRequestWithContext(ctx, r.method, target.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	for name, value := range r.header {
		sent.Header.Set(name, value)
	}
	if authorization != "" {
		sent.Header.Set("Authorization", authorization)
	}
	response, err := c.http.Do(sent)
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return nil, fmt.Errorf("the Director at %s shows a certificate that the CA given does not vouch for; give the CA of the Director, and an address that is in its certificate: %w", c.base.Host, err)
	}
	if err != nil {
		return nil, fmt.Errorf("calling the Director: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the Director's answer to %s %s: %w", r.method, r.path, err)
	}
	return &answer{response.StatusCode, response.Header, body}, nil
}

func shorten(text string) string {
	if len(text) > 300 {
		return text[:300] + "..."
	}
	return text
}
