package volume

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"

	"mooring/model"
)

// Client speaks to the volume manager of this cell. It is safe for concurrent
// use. Errors that are refusals match the package's sentinels; any other error
// means that the manager could not be asked or failed, and may be tried again.
type Client struct {
	socket string
	http   *http.Client
}

// Dial gives a client of the manager that listens on a unix socket. It does
// not connect: every call does, so a manager that restarts is found again.
func Dial(socket string) *Client {
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{
		// A kept connection to a manager that was killed would fail the next call.
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}}
}

// Classes gives what the manager offers, sorted by name.
func (c *Client) Classes(ctx context.Context) ([]model.Class, error) {
	var list classList
	err := c.call(ctx, http.MethodGet, routeClasses, nil, &list)
	return list.Classes, err
}

// Ensure makes the volume exist, and this cell the one that speaks for it: with
// a newer epoch it takes charge of a floating volume that nobody has attached,
// or that work says to steal. ErrNoRoom when its class cannot hold it,
// ErrFenced when a newer epoch has been seen.
func (c *Client) Ensure(ctx context.Context, work model.VolumeWork) error {
	return c.call(ctx, http.MethodPost, routeEnsure, work, nil)
}

// Attach makes this cell the holder of the volume and gives the host path of
// its data. Attaching again what this cell holds is no error. ErrHeld while
// another cell holds it and work does not steal, ErrFenced when a newer epoch
// or boot has had it, ErrNotFound before Ensure.
func (c *Client) Attach(ctx context.Context, work model.VolumeWork) (path string, err error) {
	var answer attached
	err = c.call(ctx, http.MethodPost, routeAttach, work, &answer)
	return answer.Path, err
}

// Detach writes the volume's data to disk and gives the volume up. The caller
// has stopped everything that uses it. No error when this cell does not hold
// it; ErrFenced when it was stolen from this cell, which has nothing to give up
// any more.
func (c *Client) Detach(ctx context.Context, guid string) error {
	return c.call(ctx, http.MethodPost, routeDetach, named{guid}, nil)
}

// Delete removes the volume and its data for good. No error when it does not
// exist; ErrAttached while anybody holds it.
func (c *Client) Delete(ctx context.Context, guid string) error {
	return c.call(ctx, http.MethodPost, routeDelete, named{guid}, nil)
}

// List gives the volumes of this cell, sorted by GUID: every fixed one, and
// the floating ones that this cell was the last to attach or take charge of. CellID is set.
func (c *Client) List(ctx context.Context) ([]model.ActualVolume, error) {
	var list volumeList
	err := c.call(ctx, http.MethodGet, routeVolumes, nil, &list)
	return list.Volumes, err
}

func (c *Client) call(ctx context.Context, method, route string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("asking the volume manager for %s: %w", route, err)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://volume-manager"+route, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("asking the volume manager for %s: %w", route, err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return &away{socket: c.socket, cause: err}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("reading the volume manager's answer to %s: %w", route, err)
	}
	if response.StatusCode != http.StatusOK {
		return readProblem(response.Status, content)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(content, out); err != nil {
		return fmt.Errorf("reading the volume manager's answer to %s: %w", route, err)
	}
	return nil
}

// readProblem turns an answer back into the error the manager had.
func readProblem(status string, content []byte) error {
	var said problem
	if json.Unmarshal(content, &said) != nil || said.Error == "" {
		return fmt.Errorf("the volume manager answered %s: %s", status, bytes.TrimSpace(content))
	}
	for _, known := range codes {
		if known.code == said.Code {
			return &refusal{why: known.err, text: said.Error, epoch: said.Epoch}
		}
	}
	return fmt.Errorf("the volume manager failed: %s", said.Error)
}
