package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"mooring/alerting"
	"mooring/client"
	"mooring/host"
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
	embeddedFlag     = &cli.StringFlag{Name: "embedded-etcd", Usage: "`DIR` in which an etcd of one member inside this process keeps the state"}
	nameFlag         = &cli.StringFlag{Name: "name", Value: hostname(), Usage: "`NAME` of this process's seat in elections; the same after a restart"}
	servedFlag       = &cli.StringFlag{Name: "served-file", Usage: "`FILE` that is made once the state is open and the API serves; moor gate last looks for it"}
	listenFlag       = &cli.StringFlag{Name: "listen", Value: "127.0.0.1:7770", Usage: "`ADDRESS` to serve the API on"}
	keepFlag         = &cli.IntFlag{Name: "keep-events", Value: 100_000, Usage: "keep the newest `N` events, and 600 more for each cell; 0 sets no bound"}
	keepForFlag      = &cli.DurationFlag{Name: "keep-events-for", Value: 30 * 24 * time.Hour, Usage: "keep events for `DURATION` such as 720h; 0 sets no bound"}
	keepPlansFlag    = &cli.IntFlag{Name: "keep-plans", Value: 100, Usage: "keep at most `N` finished plans, the newest; 0 sets no bound"}
	keepPlansForFlag = &cli.DurationFlag{Name: "keep-plans-for", Value: 90 * 24 * time.Hour, Usage: "keep finished plans for `DURATION` such as 2160h; 0 sets no bound"}
	alertsFlag       = &cli.StringFlag{Name: "alerts-config", EnvVars: []string{"MOORING_ALERTS_CONFIG"}, Usage: "`FILE` that says who is told of what is stuck: Alertmanager, webhooks, the log (default: the log is told of everything)"}
	stateDiskFlag    = &cli.StringSliceFlag{Name: "state-disk", Usage: "`DIR` on the disk that etcd on this machine writes to: told of before and when it is full; may be repeated"}
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
			embeddedFlag, stateDiskFlag,
			listenFlag, leaseFlag, nameFlag, domainsFlag, viaFlag, keepFlag, keepForFlag, keepPlansFlag, keepPlansForFlag, alertsFlag, etcdFlag}, slices.Concat(accessFlags(), intakeFlags(), directorFlags(), tlsFlags("etcd-", "etcd"), tlsFlags("tls-", "the API's clients"))...),
		Action: func(c *cli.Context) error {
			return untilStopped(c, func(ctx context.Context) error {
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				state := &openedOnce{c: c, fail: cancel}
				defer state.close()
				roles, ctx := errgroup.WithContext(ctx)
				roles.Go(func() error { return serveAPI(ctx, c, state.open) })
				roles.Go(func() error { return onceOpen("scheduler", schedule)(ctx, c, state.open) })
				roles.Go(func() error { return orchestrate(ctx, c, state.open) })
				if err := roles.Wait(); err != nil && !(ctx.Err() != nil && errors.Is(err, context.Canceled)) {
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

// openedOnce is a state that the roles of one process share.
type openedOnce struct {
	c    *cli.Context
	fail context.CancelCauseFunc // when an embedded etcd ends by itself

	mu        sync.Mutex
	waiting   []func(error)
	opened    chan struct{} // nil before anybody asks, closed once store or err is set
	store     *state.Store
	err       error
	closeThem func()
}

// open is an opener.
func (o *openedOnce) open(ctx context.Context, waiting func(error)) (*state.Store, error) {
	o.mu.Lock()
	o.waiting = append(o.waiting, waiting)
	first := o.opened == nil
	if first {
		o.opened = make(chan struct{})
	}
	o.mu.Unlock()
	if first {
		o.store, o.closeThem, o.err = openState(ctx, o.c, o.fail, o.tell)
		close(o.opened)
	}
	select {
	case <-o.opened:
		return o.store, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// tell tells all roles what is waited for.
func (o *openedOnce) tell(cause error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, waiting := range o.waiting {
		waiting(cause)
	}
}

// close closes what was opened, once no role uses it.
func (o *openedOnce) close() {
	if o.closeThem != nil {
		o.closeThem()
	}
}

// newProbe makes the probe of this process.
func newProbe(c *cli.Context, role string) *state.Probe {
	disks := c.StringSlice(stateDiskFlag.Name)
	if dir := c.String(embeddedFlag.Name); dir != "" {
		disks = append(disks, dir)
	}
	return state.NewProbe(c.String(nameFlag.Name), logger(role), disks...)
}

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
	return role("api", "serve the HTTP API", append([]cli.Flag{listenFlag, leaseFlag, servedFlag, nameFlag, stateDiskFlag}, slices.Concat(accessFlags(), intakeFlags(), directorFlags(), tlsFlags("tls-", "the API's clients"))...), serveAPI)
}

func schedulerCommand() *cli.Command {
	return role("scheduler", "place volumes and instances; one of several leads", []cli.Flag{nameFlag, domainsFlag}, onceOpen("scheduler", schedule))
}

func orchestratorCommand() *cli.Command {
	return role("orchestrator", "carry out plans; one of several leads", append(directorFlags(), nameFlag, stateDiskFlag, viaFlag, keepFlag, keepForFlag, keepPlansFlag, keepPlansForFlag, alertsFlag), orchestrate)
}

// openState opens the state in etcd, starting an embedded one when asked to;
// fail is called when that one ends by itself. As long as etcd does not answer,
// it tries on and calls waiting.
func openState(ctx context.Context, c *cli.Context, fail context.CancelCauseFunc, waiting func(error)) (*state.Store, func(), error) {
	cfg := state.Config{Endpoints: c.StringSlice(etcdFlag.Name), Logger: logger("state")}
	closeEtcd := func() {}
	switch dir := c.String(embeddedFlag.Name); {
	case dir != "" && len(cfg.Endpoints) > 0:
		return nil, nil, errors.New("--embedded-etcd and --etcd exclude each other: the state is in one place")
	case dir != "":
		etcd, err := state.StartEmbeddedWhenThereIsSpace(ctx, state.EmbeddedConfig{Dir: dir, ListenClient: "127.0.0.1:0", Logger: logger("etcd")}, waiting)
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

// alertsOf returns who is told of what is stuck.
func alertsOf(c *cli.Context) (alerting.Config, error) {
	cfg := alerting.Config{Config: notify.LogOnly(logger("alerts")), Logger: logger("alerts")}
	file := c.String(alertsFlag.Name)
	if file == "" {
		return cfg, nil
	}
	var err error
	cfg.Config, err = notify.Load(file, logger("alerts"))
	return cfg, err
}

// orchestrate carries out plans and tells of what is stuck. The two have
// leaders of their own: neither has to wait for the other. What is wrong with
// the state itself is told of by every node, also before the state is open.
func orchestrate(ctx context.Context, c *cli.Context, open opener) error {
	via := model.Via{Command: c.String(viaFlag.Name)}
	via.Wait = via.Command == ""
	bosh, err := hands(c)
	if err != nil {
		return err
	}
	alerts, err := alertsOf(c)
	if err != nil {
		return err
	}
	direct, err := alertsOf(c) // receivers are used by one teller
	if err != nil {
		return err
	}
	probe := newProbe(c, "orchestrator")
	roles, ctx := errgroup.WithContext(ctx)
	roles.Go(func() error { probe.Run(ctx); return nil })
	roles.Go(func() error { alerting.RunDirect(ctx, direct, probe.Problems); return nil })
	roles.Go(func() error {
		log := logWaiting("orchestrator")
		store, err := open(ctx, func(err error) { log(err); probe.Wait(err) })
		if err != nil {
			return err
		}
		probe.Watch(store)
		return carryOut(ctx, c, store, via, bosh, alerts)
	})
	return roles.Wait()
}

// carryOut runs the orchestrator and the teller of alerts over an open state.
func carryOut(ctx context.Context, c *cli.Context, store *state.Store, via model.Via, bosh host.Director, alerts alerting.Config) error {
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
