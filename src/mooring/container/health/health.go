// Package health finds out whether an instance is healthy, by the check its
// developer chose.
package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"mooring/container"
	"mooring/model"
)

// Executor runs a command in an instance; container.Instance is one.
type Executor interface {
	Exec(ctx context.Context, command container.Command) error
}

// Probe checks one instance.
type Probe struct {
	// Check has its zero fields filled in by its defaults.
	Check model.HealthCheck
	// Address is host:port of the instance's first port.
	Address string
	In      Executor
}

// Run checks once; nil is healthy. A check that outlasts its timeout has
// failed. When ctx ends the result means nothing.
func (p Probe) Run(ctx context.Context) error {
	check := p.Check.WithDefaults()
	late := fmt.Errorf("health check not done after %s", check.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, check.Timeout.D(), late)
	defer cancel()
	err := p.run(ctx, check)
	if err != nil && errors.Is(context.Cause(ctx), late) {
		return late
	}
	return err
}

func (p Probe) run(ctx context.Context, check model.HealthCheck) error {
	switch check.Type {
	case model.HealthProcess:
		return nil // that it runs is all that is asked
	case model.HealthPort:
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", p.Address)
		if err != nil {
			return fmt.Errorf("health check by port: %w", err)
		}
		return conn.Close()
	case model.HealthHTTP:
		return p.get(ctx, check)
	case model.HealthCommand:
		return p.command(ctx, check)
	}
	return fmt.Errorf("there is no health check called %q", check.Type)
}

func (p Probe) get(ctx context.Context, check model.HealthCheck) error {
	url := "http://" + p.Address + "/" + strings.TrimPrefix(check.Path, "/")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("health check by http: %w", err)
	}
	// A kept connection would go on talking to a process that stopped listening.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("health check by http: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("health check by http: %s answered %s", url, response.Status)
	}
	return nil
}

// maxSaid bounds what is quoted of a check command's output, in bytes.
const maxSaid = 512

func (p Probe) command(ctx context.Context, check model.HealthCheck) error {
	var output lastBytes
	err := p.In.Exec(ctx, container.Command{Text: check.Command, Out: &output, Frequent: true})
	if err == nil {
		return nil
	}
	said := strings.TrimSpace(string(output))
	if said == "" {
		return fmt.Errorf("health check by command: %w", err)
	}
	return fmt.Errorf("health check by command: %w: %s", err, said)
}

// lastBytes keeps the last maxSaid bytes of what is written, however much it is.
type lastBytes []byte

// Write implements io.Writer and never fails.
func (b *lastBytes) Write(p []byte) (int, error) {
	kept := append(*b, p[max(0, len(p)-maxSaid):]...)
	*b = append((*b)[:0], kept[max(0, len(kept)-maxSaid):]...)
	return len(p), nil
}
