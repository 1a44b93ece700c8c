package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"mooring/bench/fleets"
	"mooring/fleet/generate"
	"mooring/placement"
)

func fleetCommand() *cli.Command {
	return &cli.Command{
		Name:  "fleet",
		Usage: "plans of generated fleets against their bounds and against how others roll",
		Flags: []cli.Flag{
			&cli.IntSliceFlag{Name: "cells", Value: cli.NewIntSlice(1000, 10000), Usage: "`NUMBERS` of cells"},
			&cli.IntFlag{Name: "seeds", Value: 3, Usage: "fleets of each kind"},
			&cli.StringSliceFlag{Name: "error", Value: cli.NewStringSlice("0", "0.1", "0.2", "0.4", "unknown"), Usage: "`ERRORS` of the estimates, on fleets that we place"},
			&cli.StringSliceFlag{Name: "family", Usage: "`KINDS` of fleets; all if left out"},
			&cli.IntFlag{Name: "domains", Value: placement.DefaultDomains, Usage: "`NUMBER` of update domains in an AZ, where apps are placed one by one"},
			&cli.DurationFlag{Name: "improve", Value: 5 * time.Second, Usage: "`TIME` to improve the first plan"},
			&cli.StringFlag{Name: "write", Usage: "write the fleets to files in `DIR`, for moor place and moor simulate, and measure nothing"},
		},
		Action: func(c *cli.Context) error {
			cfg := fleets.Config{Cells: c.IntSlice("cells"), Seeds: c.Int("seeds"), Domains: c.Int("domains"), Improve: c.Duration("improve")}
			for _, text := range c.StringSlice("error") {
				off := float64(generate.Unknown)
				if text != "unknown" {
					var err error
					if off, err = strconv.ParseFloat(text, 64); err != nil || off < 0 {
						return fmt.Errorf("--error %q is neither a share such as 0.1 nor unknown", text)
					}
				}
				cfg.Errors = append(cfg.Errors, off)
			}
			if chosen := c.StringSlice("family"); len(chosen) > 0 {
				cfg.Wants = func(family string) bool { return slices.Contains(chosen, family) }
			}
			if dir := c.String("write"); dir != "" {
				return fleets.Write(cfg, dir, c.App.Writer)
			}
			return fleets.Plan(cfg, c.App.Writer)
		},
	}
}

func placeCommand() *cli.Command {
	return &cli.Command{
		Name:  "place",
		Usage: "placements a second, and bytes an instance",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "cells", Value: 10000, Usage: "cells of the fleet, 70 instances on each"},
			&cli.IntFlag{Name: "seeds", Value: 3, Usage: "fleets to place"},
		},
		Action: func(c *cli.Context) error { return fleets.Place(c.Int("cells"), c.Int("seeds"), c.App.Writer) },
	}
}
