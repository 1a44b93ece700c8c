package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"mooring/fleet"
)

const fleetsCategory = "Fleets on paper"

// maxImprove is the longest that is worth waiting for a better plan.
const maxImprove = 30 * time.Second

// fleetFormat is the format of fleets in short, for help.
const fleetFormat = `The format, of which docs/fleets.md says more (? may be left out):
   {"cells": [{"id", "az", "domain"?, "column"?, "memory_mb"?, "disk_mb"?}],
    "apps": [{"name", "instances", "max_interrupted", "kind": "fixed|floating|none",
              "memory_mb"?, "disk_mb"?, "move_s"?, "cells": [id per index]?}],
    "rolls": {"<cell>": seconds}, "estimates": {"<cell>": seconds}?,
    "max_in_flight"?, "canaries"?, "az_serial"?, "move_s"?,
    "failures": [{"cell", "at_s", "for_s"}]?}
`

// warner says on standard error what was accepted and deserves a second look.
func warner(c *cli.Context) func(string) {
	return func(text string) { fmt.Fprintln(c.App.ErrWriter, "warning:", text) }
}

func placeCommand() *cli.Command {
	return &cli.Command{
		Name: "place", Category: fleetsCategory, ArgsUsage: "FLEET",
		Usage: "place the applications of a described fleet",
		Description: `Reads a fleet in JSON ("-" for standard input) and writes it with the cells of
every application and the update domain of every cell filled in; what is filled
in already stays. No cluster is needed. What could not be placed as it should
be, and what of the file is not looked at, is said on standard error.

` + fleetFormat + `
Examples:
   moor place fleet.json > placed.json`,
		Action: func(c *cli.Context) error {
			return withFleet(c, func(r io.Reader) error { return fleet.Place(r, c.App.Writer, warner(c)) })
		},
	}
}

func simulateCommand() *cli.Command {
	return &cli.Command{
		Name: "simulate", Category: fleetsCategory, ArgsUsage: "FLEET",
		Usage: "roll a described fleet in simulated time",
		Description: `Plans and dispatches with the brains that roll real fleets. Writes one line of
JSON for each roll and a last line with the summary: the makespan, the lower
bound that the policies impose, and the bottleneck. Applications without cells
are placed first, as moor place does.

` + fleetFormat + `
Examples:
   moor simulate fleet.json | tail -1
   moor simulate --html plan.html fleet.json`,
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "improve", Value: 2 * time.Second, Usage: "`TIME` to spend on better plans, at most 30s"},
			&cli.StringFlag{Name: "html", Usage: "also write the timeline to `FILE`, as a page for a browser"},
		},
		Action: func(c *cli.Context) error {
			opts := fleet.Options{Clock: time.Now, Improve: c.Duration("improve")}
			if opts.Improve < 0 || opts.Improve > maxImprove {
				return cli.Exit(fmt.Sprintf("--improve %v is not between 0s and %v", opts.Improve, maxImprove), 2)
			}
			return withFleet(c, func(r io.Reader) error {
				f, err := fleet.ReadPlaced(r, warner(c))
				if err != nil {
					return err
				}
				run, err := f.Simulate(opts)
				if err != nil {
					return err
				}
				run.Warn(warner(c))
				if err := run.Write(c.App.Writer); err != nil || c.String("html") == "" {
					return err
				}
				return drawRun(c.String("html"), f, run)
			})
		},
	}
}

// withFleet opens the one argument of a command, "-" being standard input.
func withFleet(c *cli.Context, use func(io.Reader) error) error {
	if c.NArg() != 1 {
		return cli.Exit(fmt.Sprintf("usage: moor %s FLEET", c.Command.Name), 2)
	}
	path := c.Args().First()
	if path == "-" {
		return use(c.App.Reader)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := use(file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
