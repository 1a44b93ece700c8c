package health_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/container"
	"mooring/container/health"
	"mooring/model"
)

type executor func(ctx context.Context, command string, out io.Writer) error

func (e executor) Exec(ctx context.Context, command container.Command) error {
	return e(ctx, command.Text, command.Out)
}

// nowhere is an address that nobody listens on.
const nowhere = "127.0.0.1:1"

func TestProbe(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/well":
		case "/slow":
			<-r.Context().Done()
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	run := executor(func(ctx context.Context, command string, out io.Writer) error {
		switch command {
		case "well":
			return nil
		case "slow":
			<-ctx.Done()
			return context.Cause(ctx)
		}
		fmt.Fprintln(out, strings.Repeat("-", 1000), "cluster_state:fail")
		return errors.New("exit status 1")
	})
	short := model.Duration(50 * time.Millisecond)
	for name, c := range map[string]struct {
		check   model.HealthCheck
		address string
		want    OmegaMatcher
	}{
		"process":                 {model.HealthCheck{Type: model.HealthProcess}, nowhere, Succeed()},
		"port":                    {model.HealthCheck{Type: model.HealthPort}, address, Succeed()},
		"port that is closed":     {model.HealthCheck{Type: model.HealthPort}, nowhere, MatchError(ContainSubstring("refused"))},
		"no type is port":         {model.HealthCheck{}, nowhere, MatchError(ContainSubstring("by port"))},
		"http":                    {model.HealthCheck{Type: model.HealthHTTP, Path: "/well"}, address, Succeed()},
		"http that says no":       {model.HealthCheck{Type: model.HealthHTTP, Path: "ill"}, address, MatchError(ContainSubstring("/ill answered 503"))},
		"http that takes long":    {model.HealthCheck{Type: model.HealthHTTP, Path: "/slow", Timeout: short}, address, MatchError("health check not done after 50ms")},
		"command":                 {model.HealthCheck{Type: model.HealthCommand, Command: "well"}, nowhere, Succeed()},
		"command that fails":      {model.HealthCheck{Type: model.HealthCommand, Command: "ill"}, nowhere, MatchError(HaveSuffix("cluster_state:fail"))},
		"command that takes long": {model.HealthCheck{Type: model.HealthCommand, Command: "slow", Timeout: short}, nowhere, MatchError("health check not done after 50ms")},
		"an unknown type":         {model.HealthCheck{Type: "prayer"}, nowhere, MatchError(ContainSubstring(`"prayer"`))},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(health.Probe{Check: c.check, Address: c.address, In: run}.Run(t.Context())).To(c.want)
		})
	}
}
