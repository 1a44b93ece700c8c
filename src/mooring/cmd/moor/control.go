package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"mooring/alerting"
	"mooring/client"
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
	servedFlag       = &cli.StringFlag{Name: "served-file", Usage: "`FILE` that is made once the state is open and the API serves; moor gate last looks for it"}
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
			listenFlag, leaseFlag, nameFlag, domainsFlag, viaFlag, keepFlag, keepForFlag, keepPlansFlag, keepPlansForFlag, alertsFlag, etcdFlag}, slices.Concat(accessFlags(), intakeFlags(), directorFlags(), tlsFlags("etcd-", "etcd"), tlsFlags("tls-", "the API's clients"))...),
		Action: func(c *cli.Context) error {
			return untilStopped(c, func(ctx context.Context) error {
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				store, closeState, err := openState(ctx, c, cancel, logWaiting("control-plane"))
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

// opener opens the state, once. As long as etcd does not answer it tries on and
// calls waiting with the reason.
type opener func(ctx context.Context, waiting func(error)) (*state.Store, error)

// role is one of the control plane's parts as a process of its own. It stays up
// while etcd does not answer: BOSH starts the next node of a new cluster only
// once this one runs.
func role(name, usage string, flags []cli.Flag, run func(context.Context, *cli.Context, opener) error) *cli.Command {
	return &cli.Command{
		Name: name, Category: rolesCategory, Usage: usage,
		Flags: append(append(flags, etcdFlag), tlsFlags("etcd-", "etcd")...),
		Action: func(c *cli.Context) error {
			return untilStopped(c, func(ctx context.Context) error {
				closeState := func() {}
				defer func() { closeState() }()
				err := run(ctx, c, func(ctx context.Context, waiting func(error)) (*state.Store, error) {
					store, closeIt, err := openState(ctx, c, nil, waiting)
					if err == nil {
						closeState = closeIt
					}
					return store, err
				})
				if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
					return nil // it was told to stop while it waited
				}
				return err
			})
		},
	}
}

// onceOpen is what a role does that can do nothing without the state.
func onceOpen(name string, run func(context.Context, *cli.Context, *state.Store) error) func(context.Context, *cli.Context, opener) error {
	return func(ctx context.Context, c *cli.Context, open opener) error {
		store, err := open(ctx, logWaiting(name))
		if err != nil {
			return err
		}
		return run(ctx, c, store)
	}
}

// logWaiting returns what tells the log of a role why it waits.
func logWaiting(role string) func(error) {
	logger := logger(role)
	return func(err error) { logger.Warn("waiting for the state", "cause", err) }
}

func apiCommand() *cli.Command {
	return role("api", "serve the HTTP API", append([]cli.Flag{listenFlag, leaseFlag, servedFlag}, slices.Concat(accessFlags(), intakeFlags(), directorFlags(), tlsFlags("tls-", "the API's clients"))...), serveAPIOnceOpen)
}

func schedulerCommand() *cli.Command {
	return role("scheduler", "place volumes and instances; one of several leads", []cli.Flag{nameFlag, domainsFlag}, onceOpen("scheduler", schedule))
}

func orchestratorCommand() *cli.Command {
	return role("orchestrator", "carry out plans; one of several leads", append(directorFlags(), nameFlag, viaFlag, keepFlag, keepForFlag, keepPlansFlag, keepPlansForFlag, alertsFlag), onceOpen("orchestrator", orchestrate))
}

// openState opens the state in etcd, starting an embedded one when asked to;
// fail is called when that one ends by itself. As long as etcd does not answer,
// it tries on and calls waiting.
func openState(ctx context.Context, c *cli.Context, fail context.CancelCauseFunc, waiting func(error)) (*state.Store, func(), error) {
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
	store, err := state.OpenWhenReachable(ctx, cfg, waiting)
	if err != nil {
		closeEtcd()
		return nil, nil, err
	}
	return store, func() { _ = store.Close(); closeEtcd() }, nil
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
