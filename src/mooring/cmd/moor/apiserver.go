package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"mooring/access"
	"mooring/api"
	"mooring/api/intake"
	"mooring/console"
	"mooring/host"
	"mooring/identity"
	"mooring/orchestrator"
	"mooring/state"
)

// apiServer is what serving the API takes besides the state.
type apiServer struct {
	c       *cli.Context
	bosh    host.Director
	tls     *tls.Config // nil for plain HTTP
	callers *identity.Authenticator
	intake  *intake.Intake
}

func newAPIServer(c *cli.Context) (*apiServer, error) {
	s := &apiServer{c: c, intake: intake.New(intakeLimits(c), logger("api"))}
	var err error
	if s.bosh, err = hands(c); err != nil {
		return nil, err
	}
	if s.tls, err = serverTLS(c, "tls-"); err != nil {
		return nil, err
	}
	s.callers, err = callers(c, s.tls)
	return s, err
}

// serveAPI serves until ctx ends. Until the state is open, every answer is 503
// with what is waited for.
func serveAPI(ctx context.Context, c *cli.Context, open opener) error {
	server, err := newAPIServer(c)
	if err != nil {
		return err
	}
	var entrance entrance
	probe := newProbe(c, "api")
	parts, ctx := errgroup.WithContext(ctx)
	parts.Go(func() error { return server.serve(ctx, &entrance) })
	parts.Go(func() error { probe.Run(ctx); return nil })
	parts.Go(func() error {
		log := logWaiting("api")
		store, err := open(ctx, func(err error) { log(err); entrance.wait(err); probe.Wait(err) })
		if err != nil {
			return err
		}
		probe.Watch(store)
		faces, err := server.faces(store, probe)
		if err != nil {
			return err
		}
		entrance.open(faces)
		return markServed(c.String(servedFlag.Name))
	})
	return parts.Wait()
}

// markServed makes the file that says that this node has served; "" is none.
func markServed(path string) error {
	if path == "" {
		return nil
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		return fmt.Errorf("noting that the API has served: %w; give --%s a file in a directory that can be written to", err, servedFlag.Name)
	}
	return nil
}

// faces returns the API and the board over an open state.
func (s *apiServer) faces(store *state.Store, probe *state.Probe) (http.Handler, error) {
	handler, err := api.New(api.Config{
		Store: store, Planner: preview, CheckPlan: checkPlan(s.bosh),
		Forecast: orchestrator.Foresee, Probe: probe,
		Logger: logger("api"), LeaseTTL: s.c.Duration(leaseFlag.Name), Version: version(),
	})
	if err != nil {
		return nil, err
	}
	board, err := console.New(console.Config{Source: store, Forecast: orchestrator.Foresee, Failed: store.Err, MayAct: maySteer, MayRead: mayRead, SignIn: s.callers.Token})
	if err != nil {
		return nil, err
	}
	faces := http.NewServeMux()
	faces.Handle("/", handler)
	faces.Handle("GET /{$}", board)
	faces.Handle("/console/", board)
	faces.Handle("GET /console/live", identity.Require(access.Look, theFleet, board))
	return faces, nil
}

// serve answers callers until ctx ends. Streams and long polls are ended then;
// other requests get a moment to finish.
func (s *apiServer) serve(ctx context.Context, handler http.Handler) error {
	server := &http.Server{Handler: s.callers.Wrap(s.intake.Handler(handler)), TLSConfig: s.tls,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	s.intake.Configure(server)
	listener, err := net.Listen("tcp", s.c.String(listenFlag.Name))
	if err != nil {
		return fmt.Errorf("serve the API: %w; choose another address with --%s", err, listenFlag.Name)
	}
	listener = s.intake.Listener(listener, s.tls != nil)
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		stopped <- server.Shutdown(patience)
	}()
	if s.tls != nil {
		err = server.ServeTLS(listener, "", "")
	} else {
		err = server.Serve(listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
