package main

import (
	"github.com/urfave/cli/v2"

	"mooring/bench/react"
)

func reactCommand() *cli.Command {
	return &cli.Command{
		Name:  "react",
		Usage: "time from an instance that serves again to the next handler that is asked",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "moor", Required: true, Usage: "`PATH` of the moor executable"},
			&cli.IntFlag{Name: "cells", Value: 12, Usage: "cells of the fleet"},
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:7771", Usage: "`ADDRESS` for the fleet's API"},
		},
		Action: func(c *cli.Context) error {
			return react.Run(c.Context, react.Config{Moor: c.String("moor"), Cells: c.Int("cells"), Listen: c.String("listen")}, c.App.Writer)
		},
	}
}
