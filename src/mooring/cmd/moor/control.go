package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"mooring/access"
	"mooring/alerting"
	"mooring/api"
	"mooring/client"
	"mooring/console"
	"mooring/identity"
	"mooring/model"
	"mooring/notify"
	"mooring/orchestrator"
	"mooring/placement"
	"mooring/scheduler"
	"mooring/state"
)

// eventsPerCell is how many events a plan writes for a cell that is dense with
// instances, and some.
const eventsPerCell = 600

// Flags of the control plane's roles.
var (
	etcdFlag         = &cli.StringSliceFlag{Name: "etcd", EnvVars: []string{"MOORING_ETCD"}, Usage: "`URL` of an etcd member; may be repeated"}
	nameFlag         = &cli.StringFlag{Name: "name", Value: hostname(), Usage: "`NAME` of this process's seat in elections; the same after a restart"}
	listenFlag       = &cli.StringFlag{Name: "listen", Value: "127.0.0.1:7770", Usage: "`ADDRESS` to serve the API on"}
	keepFlag         = &cli.IntFlag{Name: "keep-events", Value: 100_000, Usage: "keep the newest `N` events, and 600 more for each cell; 0 sets no bound"}
	keepForFlag      = &cli.DurationFlag{Name: "keep-events-for", Value: 30 * 24 * time.Hour, Usage: "keep events for `DURATION` such as 720h; 0 sets no bound"}
	keepPlansFlag    = &cli.IntFlag{Name: "keep-plans", Value: 100, Usage: "keep at most `N` finished plans, the newest; 0 sets no bound"}
	keepPlansForFlag = &cli.DurationFlag{Name: "keep-plans-for", Value: 90 * 24 * time.Hour, Usage: "keep finished plans for `DURATION` such as 2160h; 0 sets no bound"}
	alertsFlag       = &cli.StringFlag{Name: "alerts-config", EnvVars: []string{"MOORING_ALERTS_CONFIG"}, Usage: "`FILE` that says who is told of what is stuck: Alertmanager, webhooks, the log (default: the log is told of everything)"}
	viaFlag          = &cli.StringFlag{Name: "default-via", Usage: "`COMMAND` that acts on a host when a plan does not say how (default: wait for somebody to)"}
	domainsFlag      = &cli.IntFlag{Name: "update-domains", Value: placement.DefaultDomains,
		Usage:  "deal the cells of each AZ and pool to `N` update domains; for cells that come without one of their own. Cells keep the one they have",
		Action: atLeastOne("update-domains")}
)

// atLeastOne refuses a flag of that name that is below 1.
func atLeastOne(name string) func(*cli.Context, int) error {
	return func(_ *cli.Context, n int) error {
		if n < 1 {
			return fmt.Errorf("--%s is %d; give a whole number from 1", name, n)
		}
		return nil
	}
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "moor"
	}
	return name
}

func controlPlaneCommand() *cli.Command {
	return &cli.Command{
		Name: "control-plane", Category: rolesCategory,
		Usage: "run API, scheduler and orchestrator in one process",
		Description: `With --embedded-etcd the state is kept by an etcd inside the process; that is
what moor dev runs. In production run moor api, moor scheduler and
moor orchestrator on three nodes against an etcd of three members.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "embedded-etcd", Usage: "`DIR` in which an etcd of one member inside this process keeps the state"},
			listenFlag, leaseFlag, nameFlag, domainsFlag, viaFlag, keepFlag, keepForFlag, keepPlansFlag, keepPlansForFlag, alertsFlag, etcdFlag}, slices.Concat(accessFlags(), directorFlags(), tlsFlags("etcd-", "etcd"), tlsFlags("tls-", "the API's clients"))...),
		Action: func(c *cli.Context) error {
			return untilStopped(c, func(ctx context.Context) error {
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				store, closeState, err := openState(ctx, c, cancel)
				if err != nil {
					return err
				}
				defer closeState()
				roles, ctx := errgroup.WithContext(ctx)
				roles.Go(func() error { return serveAPI(ctx, c, store) })
				roles.Go(func() error { return schedule(ctx, c, store) })
				roles.Go(func() error { return orchestrate(ctx, c, store) })
				if err := roles.Wait(); err != nil {
					return err
				}
				if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
					return cause
				}
				return nil
			})
		},
	}
}

// role is one of the control plane's parts as a process of its own.
func role(name, usage string, flags []cli.Flag, run func(context.Context, *cli.Context, *state.Store) error) *cli.Command {
	return &cli.Command{
		Name: name, Category: rolesCategory, Usage: usage,
		Flags: append(append(flags, etcdFlag), tlsFlags("etcd-", "etcd")...),
		Action: func(c *cli.Context) error {
			return untilStopped(c, func(ctx context.Context) error {
				store, closeState, err := openState(ctx, c, nil)
				if err != nil {
					return err
				}
				defer closeState()
				return run(ctx, c, store)
			})
		},
	}
}

func apiCommand() *cli.Command {
	return role("api", "serve the HTTP API", append([]cli.Flag{listenFlag, leaseFlag}, slices.Concat(accessFlags(), directorFlags(), tlsFlags("tls-", "the API's clients"))...), serveAPI)
}

func schedulerCommand() *cli.Command {
	return role("scheduler", "place volumes and instances; one of several leads", []cli.Flag{nameFlag, domainsFlag}, schedule)
}

func orchestratorCommand() *cli.Command {
	return role("orchestrator", "carry out plans; one of several leads", append(directorFlags(), nameFlag, viaFlag, keepFlag, keepForFlag, keepPlansFlag, keepPlansForFlag, alertsFlag), orchestrate)
}

// openState opens the state in etcd, starting an embedded one when asked to;
// fail is called when that one ends by itself.
func openState(ctx context.Context, c *cli.Context, fail context.CancelCauseFunc) (*state.Store, func(), error) {
	cfg := state.Config{Endpoints: c.StringSlice(etcdFlag.Name), Logger: logger("state")}
	closeEtcd := func() {}
	switch dir := c.String("embedded-etcd"); {
	case dir != "" && len(cfg.Endpoints) > 0:
		return nil, nil, errors.New("--embedded-etcd and --etcd exclude each other: the state is in one place")
	case dir != "":
		etcd, err := state.StartEmbedded(ctx, state.EmbeddedConfig{Dir: dir, ListenClient: "127.0.0.1:0", Logger: logger("etcd")})
		if err != nil {
			return nil, nil, err
		}
		go func() {
			if err, died := <-etcd.Err(); died {
				fail(fmt.Errorf("the embedded etcd ended: %w", err))
			}
		}()
		closeEtcd = etcd.Close
		cfg.Endpoints = etcd.Endpoints()
	case len(cfg.Endpoints) == 0:
		return nil, nil, errors.New("where is the state? give the members of etcd with --etcd")
	default:
		var err error
		if cfg.TLS, err = clientTLS(c, "etcd-"); err != nil {
			return nil, nil, err
		}
	}
	store, err := state.Open(ctx, cfg)
	if err != nil {
		closeEtcd()
		return nil, nil, err
	}
	return store, func() { _ = store.Close(); closeEtcd() }, nil
}

// serveAPI serves until ctx ends. Streams and long polls are ended then; other
// requests get a moment to finish.
func serveAPI(ctx context.Context, c *cli.Context, store *state.Store) error {
	bosh, err := hands(c)
	if err != nil {
		return err
	}
	tlsConfig, err := serverTLS(c, "tls-")
	if err != nil {
		return err
	}
	callers, err := callers(c, tlsConfig)
	if err != nil {
		return err
	}
	handler, err := api.New(api.Config{
		Store: store, Planner: preview, CheckPlan: checkPlan(bosh),
		Forecast: orchestrator.Foresee,
		Logger:   logger("api"), LeaseTTL: c.Duration(leaseFlag.Name), Version: version(),
	})
	if err != nil {
		return err
	}
	board, err := console.New(console.Config{Source: store, Forecast: orchestrator.Foresee, Failed: store.Err, MayAct: maySteer, MayRead: mayRead, SignIn: callers.Token})
	if err != nil {
		return err
	}
	faces := http.NewServeMux()
	faces.Handle("/", handler)
	faces.Handle("GET /{$}", board)
	faces.Handle("/console/", board)
	faces.Handle("GET /console/live", identity.Require(access.Look, theFleet, board))
	server := &http.Server{Handler: callers.Wrap(faces), TLSConfig: tlsConfig, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	listener, err := net.Listen("tcp", c.String(listenFlag.Name))
	if err != nil {
		return fmt.Errorf("serve the API: %w; choose another address with --%s", err, listenFlag.Name)
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		stopped <- server.Shutdown(patience)
	}()
	if tlsConfig != nil {
		err = server.ServeTLS(listener, "", "")
	} else {
		err = server.Serve(listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// improvePreview is for how long a plan is bettered while somebody waits for its
// preview, or for its start.
const improvePreview = 2 * time.Second

// preview asks the brain that will execute the plan.
func preview(ctx context.Context, snap *state.Snapshot, spec model.PlanSpec, _ []string, now time.Time) (*client.Preview, error) {
	end := time.Now().Add(improvePreview)
	return orchestrator.PreviewWithin(snap, spec, now, func() bool { return ctx.Err() == nil && time.Now().Before(end) })
}

// placesBy is how the scheduler that the flags ask for places.
func placesBy(c *cli.Context) scheduler.Config {
	return scheduler.Config{Domains: c.Int(domainsFlag.Name), Logger: logger("scheduler")}
}

func schedule(ctx context.Context, c *cli.Context, store *state.Store) error {
	return lead(ctx, c, store, "scheduler", func(ctx context.Context, leadership *state.Leadership) error {
		return scheduler.Run(ctx, store, leadership, placesBy(c))
	})
}

// orchestrate carries out plans and tells of what is stuck. The two have
// leaders of their own: neither has to wait for the other.
func orchestrate(ctx context.Context, c *cli.Context, store *state.Store) error {
	via := model.Via{Command: c.String(viaFlag.Name)}
	via.Wait = via.Command == ""
	bosh, err := hands(c)
	if err != nil {
		return err
	}
	alerts := alerting.Config{Config: notify.LogOnly(logger("alerts")), Logger: logger("alerts")}
	if file := c.String(alertsFlag.Name); file != "" {
		if alerts.Config, err = notify.Load(file, logger("alerts")); err != nil {
			return err
		}
	}
	roles, ctx := errgroup.WithContext(ctx)
	roles.Go(func() error {
		return lead(ctx, c, store, "orchestrator", func(ctx context.Context, leadership *state.Leadership) error {
			return orchestrator.Run(ctx, store, leadership, orchestrator.Config{
				Logger: logger("orchestrator"), DefaultVia: via, Director: bosh,
				Keep: state.Retention{
					Count: c.Int(keepFlag.Name), PerCell: eventsPerCell, Age: c.Duration(keepForFlag.Name), Spool: alerting.DefaultGiveUp,
					Plans: c.Int(keepPlansFlag.Name), PlanAge: c.Duration(keepPlansForFlag.Name),
				},
			})
		})
	})
	roles.Go(func() error {
		return lead(ctx, c, store, "alerts", func(ctx context.Context, leadership *state.Leadership) error {
			return alerting.Run(ctx, store, leadership, alerts)
		})
	})
	return roles.Wait()
}

// lead runs a controller while this process leads in its role, and campaigns
// again whenever it has lost.
func lead(ctx context.Context, c *cli.Context, store *state.Store, role string, run func(context.Context, *state.Leadership) error) error {
	for {
		leadership, err := store.Lead(ctx, role, c.String(nameFlag.Name))
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("campaign for %s: %w", role, err)
		}
		err = run(ctx, leadership)
		if ctx.Err() != nil {
			resign, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			_ = leadership.Resign(resign) // its lease runs out by itself
			return nil
		}
		select {
		case <-leadership.Lost():
			logger(role).Warn("leadership lost, campaigning again", "error", err)
		default:
			return fmt.Errorf("%s: %w", role, err)
		}
	}
}
