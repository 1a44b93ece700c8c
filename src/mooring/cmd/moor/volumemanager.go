package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"mooring/cell"
	"mooring/model"
	"mooring/volume"
)

func volumeManagerCommand() *cli.Command {
	return &cli.Command{
		Name:     "volume-manager",
		Category: rolesCategory,
		Usage:    "make, attach and delete the volumes of a cell",
		Description: `Runs beside each cell's agent, which speaks to it over a unix socket. Each
--class says what is offered: a name, a root directory, a capacity, the most a
host can go through before the data is gone (survives), and "floating" when
every cell of the AZ reaches the same directory.

Example:
   moor volume-manager --cell cell-0 --socket /run/moor/volumes.sock --run-dir /var/moor \
      --class name=persistent,root=/data/volumes,capacity=100G,survives=recreate \
      --class name=shared,root=/mnt/shared,capacity=1T,survives=retire,floating`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "cell", Required: true, Usage: "`ID` of the cell"},
			bootFlag,
			&cli.StringFlag{Name: "socket", Required: true, Usage: "`PATH` of the unix socket to listen on"},
			&cli.StringFlag{Name: "run-dir", Required: true, Usage: "`DIR` of the cell's agent: what may run elsewhere is stopped when the agent can no longer do it"},
			&cli.StringSliceFlag{Name: "class", Required: true, Usage: "`name=N,root=DIR,capacity=SIZE,survives=ACTION[,floating]`; may be repeated"},
		},
		Action: func(c *cli.Context) error {
			boot, err := bootOf(c)
			if err != nil {
				return err
			}
			cfg := volume.Config{Socket: c.String("socket"), CellID: c.String("cell"), Boot: boot, Logger: logger("volume-manager")}
			for _, text := range classTexts(c.StringSlice("class")) {
				class, err := parseClass(text)
				if err != nil {
					return fmt.Errorf("--class %s: %w", text, err)
				}
				cfg.Classes = append(cfg.Classes, class)
			}
			return untilStopped(c, func(ctx context.Context) error {
				guarded, ctx := errgroup.WithContext(ctx)
				guarded.Go(func() error { return cell.Guard(ctx, c.String("run-dir"), cfg.Logger) })
				guarded.Go(func() error { return volume.Serve(ctx, cfg) })
				return guarded.Wait()
			})
		},
	}
}

// classTexts puts back together what the flag library splits at commas: each
// class begins with its name.
func classTexts(pieces []string) []string {
	var texts []string
	for _, piece := range pieces {
		if len(texts) == 0 || strings.HasPrefix(piece, "name=") {
			texts = append(texts, piece)
			continue
		}
		texts[len(texts)-1] += "," + piece
	}
	return texts
}

// parseClass reads "name=persistent,root=/data,capacity=10G,survives=recreate".
func parseClass(text string) (volume.Class, error) {
	var class volume.Class
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		var err error
		switch key {
		case "name":
			class.Name, err = value, model.CheckWord("class", value)
		case "root":
			class.Root = value
		case "capacity":
			class.Capacity, err = model.ParseSize(value)
		case "survives":
			class.Survives = model.Action(value)
		case "floating":
			class.Floating = true
		default:
			err = fmt.Errorf("%q is not one of name, root, capacity, survives and floating", key)
		}
		if err != nil {
			return class, err
		}
	}
	switch {
	case class.Name == "" || class.Root == "":
		return class, fmt.Errorf("a class needs a name and a root directory")
	case class.Survives.Rank() == 0:
		return class, fmt.Errorf("survives is %q; it is one of restart, reboot, recreate and retire", class.Survives)
	}
	return class, nil
}
