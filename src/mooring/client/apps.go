package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"mooring/model"
)

func appPath(name model.Name, rest ...string) string {
	return pathOf(append([]string{"apps", name.Org, name.Space, name.Name}, rest...)...)
}

// Apps lists all apps, sorted by name.
func (c *Client) Apps(ctx context.Context) ([]AppView, error) {
	return list[AppView](ctx, c, pathOf("apps"), nil)
}

// App gives one app with its instances.
func (c *Client) App(ctx context.Context, name model.Name) (*AppView, error) {
	return one[AppView](ctx, c, request{method: http.MethodGet, path: appPath(name), again: true})
}

// Instances gives the app's instances with the addresses they are reached at,
// sorted by index.
func (c *Client) Instances(ctx context.Context, name model.Name) ([]InstanceView, error) {
	return list[InstanceView](ctx, c, appPath(name, "instances"), nil)
}

// Push creates the app, or updates the one of that name under its policy.
func (c *Client) Push(ctx context.Context, push Push) (*Pushed, error) {
	return one[Pushed](ctx, c, request{method: http.MethodPut, path: appPath(push.Name), body: push, again: true})
}

// Scale sets the number of instances; the app's volume sets follow.
func (c *Client) Scale(ctx context.Context, name model.Name, instances int) (*Pushed, error) {
	return one[Pushed](ctx, c, request{method: http.MethodPut, path: appPath(name, "scale"), body: Scale{Instances: instances}, again: true})
}

// DeleteApp stops the app's instances and removes it. Its volume sets stay.
func (c *Client) DeleteApp(ctx context.Context, name model.Name) error {
	return c.do(ctx, request{method: http.MethodDelete, path: appPath(name)}, nil)
}

// CheckPolicy explains what the lifecycle policy of a push would mean, and
// everything that a push would refuse. Nothing is changed.
func (c *Client) CheckPolicy(ctx context.Context, push Push) (*PolicyCheck, error) {
	return one[PolicyCheck](ctx, c, request{method: http.MethodPost, path: pathOf("check-policy"), body: push, again: true})
}

// LogOptions choose what of an instance's output is read.
type LogOptions struct {
	// Lines is how many of the last lines to begin with.
	Lines int
	// Follow keeps the stream open for what comes.
	Follow bool
}

// Logs reads the output of one instance as plain text. The caller closes it.
func (c *Client) Logs(ctx context.Context, name model.Name, index int, options LogOptions) (io.ReadCloser, error) {
	query := url.Values{"lines": {strconv.Itoa(options.Lines)}, "follow": {strconv.FormatBool(options.Follow)}}
	response, err := c.send(ctx, request{
		method: http.MethodGet, path: appPath(name, "instances", strconv.Itoa(index), "logs"), query: query, accept: "text/plain, application/problem+json", again: true,
	})
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}
