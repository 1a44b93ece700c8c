package cell

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// endpoint is an address of the agent with what answers there.
type endpoint struct {
	net.Listener
	handler http.Handler
}

// serve answers until ctx ends, and then ends the calls that are under way.
func (e *endpoint) serve(ctx context.Context) error {
	server := &http.Server{
		Handler:           e.handler,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(e.Listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answering on %s: %w", e.Addr(), err)
	}
	return nil
}
