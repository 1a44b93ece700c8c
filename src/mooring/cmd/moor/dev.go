package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/dev"
	"mooring/model"
)

// readyWithin is how long a fleet may take to come up before that is an error.
const readyWithin = 60 * time.Second

var stateDirFlag = &cli.StringFlag{
	Name: "state-dir", EnvVars: []string{"MOORING_STATE_DIR"}, Value: defaultStateDir(),
	Usage: "where the fleet keeps its state between runs",
}

func defaultStateDir() string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return filepath.Join(home, ".mooring", "dev")
}

// stateDirOf reads the flag, which may stand before or after the name of a
// subcommand.
func stateDirOf(c *cli.Context) string {
	for _, level := range c.Lineage() {
		if slices.Contains(level.LocalFlagNames(), stateDirFlag.Name) {
			return level.String(stateDirFlag.Name)
		}
	}
	return c.String(stateDirFlag.Name)
}

func devCommand() *cli.Command {
	return &cli.Command{
		Name:  "dev",
		Usage: "run a whole fleet on this machine",
		Description: `Runs the control plane and every cell as processes of their own, so that
each can really be killed; a process that dies is started again. Ctrl-C stops
everything, and so does closing the terminal. Killed itself, it leaves nothing
running either: after 15 seconds the cells kill what has not stopped. The state is kept and comes back on the next start. Needs no root.

Examples:
   moor dev                          six cells in two AZs
   moor dev --cells 12 --azs 3       a larger fleet (needs a new --state-dir)
   moor dev processes                what runs, with process ids
   moor dev host recreate cell-3     do to a host what BOSH would, without a plan`,
		Flags: []cli.Flag{
			stateDirFlag,
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:7770", Usage: "`ADDRESS` of the API"},
			&cli.IntFlag{Name: "cells", Value: 6, Usage: "cells of a new fleet"},
			&cli.IntFlag{Name: "azs", Value: 2, Usage: "availability zones of a new fleet"},
			&cli.IntFlag{Name: "domains", Value: 3, Usage: "update domains in each AZ of a new fleet"},
			sizeFlag("memory", "4G", "memory that instances may reserve on a cell"),
			sizeFlag("persistent", "10G", "capacity of a cell's persistent disk"),
			sizeFlag("ephemeral", "10G", "capacity of a cell's ephemeral disk"),
			sizeFlag("shared", "50G", "capacity for floating volumes in each AZ"),
			leaseFlag, openFlag,
		},
		Action: runDev,
		Subcommands: []*cli.Command{
			{
				Name: "host", Usage: "act on a host of the running fleet",
				ArgsUsage: "restart|reboot|recreate|retire|halt CELL",
				Description: `What a plan's "via" does on this machine. It asks no policy: to roll hosts
under cover of the policies, use moor roll. A host that was halted stays off
until the next action on it.`,
				Flags: []cli.Flag{stateDirFlag, &cli.StringFlag{Name: "roll", Usage: "`ID` of the roll; an action completed for it is not repeated"}},
				Action: func(c *cli.Context) error {
					if c.NArg() != 2 {
						return cli.Exit("usage: moor dev host restart|reboot|recreate|retire|halt CELL", 2)
					}
					fleet := dev.Connect(stateDirOf(c))
					if c.Args().Get(0) == "halt" {
						return fleet.Halt(c.Context, c.Args().Get(1))
					}
					return fleet.Act(c.Context, c.Args().Get(1), model.Action(c.Args().Get(0)), c.String("roll"))
				},
			},
			{
				Name: "processes", Usage: "list the processes of the running fleet",
				Flags:  []cli.Flag{stateDirFlag, &cli.BoolFlag{Name: "json", Usage: "print JSON"}},
				Action: listProcesses,
			},
		},
	}
}

func runDev(c *cli.Context) error {
	if c.NArg() > 0 {
		return cli.Exit(fmt.Sprintf("there is no command \"dev %s\"; see moor dev --help", c.Args().First()), 2)
	}
	cfg := dev.Config{
		StateDir: c.String("state-dir"), Listen: c.String("listen"),
		Cells: c.Int("cells"), AZs: c.Int("azs"), Domains: c.Int("domains"),
		LeaseTTL: c.Duration(leaseFlag.Name),
		Open:     c.Bool(openFlag.Name),
		Logger:   logger("dev"),
	}
	if own, err := ownMachine(cfg.Listen); err != nil {
		return err
	} else if !own && !cfg.Open {
		return fmt.Errorf("a fleet on %s would let everybody in who reaches this machine, and run what they push: listen on 127.0.0.1, or mean it with --%s", cfg.Listen, openFlag.Name)
	}
	for name, into := range map[string]*model.Size{"memory": &cfg.Memory, "persistent": &cfg.Persistent, "ephemeral": &cfg.Ephemeral, "shared": &cfg.Shared} {
		*into = sizeOf(c, name)
	}
	ctx, err := dev.WithLifeline(c.Context, nil)
	if err != nil {
		return err
	}
	// A terminal that is closed says SIGHUP, and what read the output may be
	// gone with it: that must not keep the fleet from being stopped.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	supervisor, err := dev.Start(cfg)
	if err != nil {
		return err
	}
	defer supervisor.Stop()

	url := "http://" + cfg.Listen
	fmt.Printf("starting %d cells; state in %s\n", len(supervisor.Cells()), cfg.StateDir)
	if err := waitReady(ctx, supervisor, url); err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it was up
		}
		return fmt.Errorf("%w; the logs are in %s", err, filepath.Join(cfg.StateDir, "logs"))
	}
	fmt.Printf("ready: %s\n\nIn another terminal:\n   export MOORING_API=%[1]s\n   moor cells\n\nCtrl-C stops the fleet.\n", url)
	<-ctx.Done()
	fmt.Println("stopping")
	return nil
}

// waitReady returns when the API lists every cell as present.
func waitReady(ctx context.Context, supervisor *dev.Supervisor, url string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	api, err := client.New(client.Config{Endpoints: []string{url}})
	if err != nil {
		return err
	}
	for {
		cells, err := api.Cells(ctx)
		present := map[string]bool{}
		for _, cell := range cells {
			present[cell.ID] = cell.Present
		}
		missing := 0
		for _, id := range supervisor.Cells() {
			if !present[id] {
				missing++
			}
		}
		if err == nil && missing == 0 {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("%d cells did not come up within %s", missing, readyWithin)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond): // nothing tells of an API that is not there yet
		}
	}
}

func listProcesses(c *cli.Context) error {
	processes, err := dev.Connect(stateDirOf(c)).Processes(c.Context)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(processes)
	}
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "process\tpid\trestarts")
	for _, p := range processes {
		fmt.Fprintf(table, "%s\t%d\t%d\n", p.Name, p.PID, p.Restarts)
	}
	return table.Flush()
}
