// Bench measures what Mooring promises about speed and memory. scripts/bench
// runs it; figures are for comparing within one run, on one machine.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/urfave/cli/v2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	app := &cli.App{
		Name:     "bench",
		Usage:    "measure speed and memory",
		Commands: []*cli.Command{reactCommand(), gateCommand(), fleetCommand(), placeCommand()},
	}
	if err := app.RunContext(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}
