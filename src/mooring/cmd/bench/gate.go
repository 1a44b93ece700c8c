package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"mooring/bench/gateorder"
)

func gateCommand() *cli.Command {
	return &cli.Command{
		Name:  "gate",
		Usage: "bosh recreate with max_in_flight 100 % through the gate, against Mooring's own order in each AZ",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "moor", Required: true, Usage: "`PATH` of the moor executable"},
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:7772", Usage: "`ADDRESS` for the fleet's API"},
			&cli.IntFlag{Name: "cells", Value: 30, Usage: "cells of the fleet"},
			&cli.IntFlag{Name: "azs", Value: 3, Usage: "availability zones"},
			&cli.IntFlag{Name: "apps", Value: 20, Usage: "apps, of each of which one instance may be away"},
			&cli.IntFlag{Name: "instances", Value: 9, Usage: "instances of each app"},
			&cli.DurationFlag{Name: "healthy", Value: 10 * time.Second, Usage: "`TIME` that an instance has to be healthy before it counts again, for the length of a roll"},
			&cli.IntFlag{Name: "rounds", Value: 3, Usage: "measurements of each"},
			&cli.Float64Flag{Name: "at-most", Value: 1.15, Usage: "`RATIO` of the medians above which the status is 1; 0 for none"},
		},
		Action: func(c *cli.Context) error {
			return gateorder.Run(c.Context, gateorder.Config{
				Moor: c.String("moor"), Listen: c.String("listen"), Cells: c.Int("cells"), AZs: c.Int("azs"),
				Apps: c.Int("apps"), Instances: c.Int("instances"), Healthy: c.Duration("healthy"), Rounds: c.Int("rounds"),
				AtMost: c.Float64("at-most"),
			}, c.App.Writer)
		},
	}
}
