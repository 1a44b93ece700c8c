package main

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"mooring/fleet"
)

const fleetsCategory = "Fleets on paper"

func placeCommand() *cli.Command {
	return &cli.Command{
		Name: "place", Category: fleetsCategory, ArgsUsage: "FLEET",
		Usage: "place the applications of a described fleet",
		Description: `Reads a fleet in JSON ("-" for standard input) and writes it with the cells of
every application and the update domain of every cell filled in. No cluster is
needed.

Example:
   moor place fleet.json > placed.json`,
		Action: func(c *cli.Context) error {
			return withFleet(c, func(r io.Reader) error { return fleet.Place(r, c.App.Writer) })
		},
	}
}

func simulateCommand() *cli.Command {
	return &cli.Command{
		Name: "simulate", Category: fleetsCategory, ArgsUsage: "FLEET",
		Usage: "roll a described fleet in simulated time",
		Description: `Plans and dispatches with the brains that roll real fleets. Writes one line of
JSON for each roll and a last line with the summary: the makespan, the lower
bound that the policies impose, and the bottleneck.

Example:
   moor simulate fleet.json | tail -1`,
		Action: func(c *cli.Context) error {
			return withFleet(c, func(r io.Reader) error { return fleet.Simulate(r, c.App.Writer, fleet.Options{}) })
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
