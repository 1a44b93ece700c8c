package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"mooring/cell"
	"mooring/client"
	"mooring/container/process"
	"mooring/model"
	"mooring/volume"
)

func cellCommand() *cli.Command {
	return &cli.Command{
		Name: "cell-agent", Category: rolesCategory,
		Usage: "run the instances of one host and report on them",
		Description: `The agent of a cell. It asks the API for its work, runs instances and their
handlers, and reports. SIGTERM stops every instance in good order; after a
kill -9 the instances go on and the next agent takes them up again.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "id", Required: true, Usage: "`ID` of the cell; it stays the same through recreation"},
			&cli.StringFlag{Name: "az", Required: true, Usage: "availability `ZONE`"},
			&cli.StringFlag{Name: "pool", Value: "default", Usage: "placement `POOL`"},
			&cli.StringFlag{Name: "deployment", EnvVars: []string{"MOORING_DEPLOYMENT"}, Usage: "`NAME` that BOSH has for the cell's deployment"},
			&cli.IntFlag{Name: "domain", Usage: "update domain in the AZ, from 1 (default: chosen by the scheduler)"},
			&cli.StringFlag{Name: "address", Required: true, Usage: "`IP` at which instances are reached"},
			bootFlag,
			sizeFlag("memory", "4G", "memory that instances may reserve"),
			&cli.StringFlag{Name: "ports", Value: "10000-19999", Usage: "`RANGE` of ports that instances are given"},
			&cli.StringFlag{Name: "run-dir", Required: true, Usage: "`DIR` for what runs here: logs, and what the agent must know after a crash"},
			&cli.StringFlag{Name: "volume-manager", Required: true, Usage: "`PATH` of the volume manager's socket"},
			&cli.StringFlag{Name: "api", Required: true, EnvVars: []string{"MOORING_API"}, Usage: "`URLS` of the API, separated by commas"},
		}, tlsFlags("tls-", "the API")...),
		Action: func(c *cli.Context) error {
			cfg, err := cellConfig(c)
			if err != nil {
				return err
			}
			return untilStoppedOr(c, func() { killInstances(cfg) }, func(ctx context.Context) error { return cell.New(cfg).Run(ctx) })
		},
	}
}

// killInstances kills whatever of a cell's instances still runs.
func killInstances(cfg cell.Config) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := process.KillAll(ctx, cfg.RunDir, cfg.Logger); err != nil {
		cfg.Logger.Error("instances are left behind", "error", err)
	}
}

func cellConfig(c *cli.Context) (cell.Config, error) {
	boot, err := bootOf(c)
	if err != nil {
		return cell.Config{}, err
	}
	low, high, err := parsePorts(c.String("ports"))
	if err != nil {
		return cell.Config{}, fmt.Errorf("--ports: %w", err)
	}
	tlsConfig, err := clientTLS(c, "tls-")
	if err != nil {
		return cell.Config{}, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = tlsConfig
	api, err := client.New(client.Config{Endpoints: []string{c.String("api")}, HTTP: &http.Client{Transport: transport}})
	if err != nil {
		return cell.Config{}, err
	}
	return cell.Config{
		Cell: model.Cell{
			ID: c.String("id"), AZ: c.String("az"), Pool: c.String("pool"), Domain: c.Int("domain"),
			Deployment: c.String("deployment"), Address: c.String("address"), Memory: sizeOf(c, "memory"), PortMin: low, PortMax: high, Boot: boot,
		},
		DomainGiven: c.Int("domain") > 0,
		RunDir:      c.String("run-dir"),
		Control:     api, Volumes: volume.Dial(c.String("volume-manager")),
		Logger: logger("cell"),
	}, nil
}

// parsePorts reads "10000-19999".
func parsePorts(text string) (low, high int, err error) {
	from, to, found := strings.Cut(text, "-")
	low, errLow := strconv.Atoi(from)
	high, errHigh := strconv.Atoi(to)
	if !found || errLow != nil || errHigh != nil || low < 1 || high < low || high > 65535 {
		return 0, 0, fmt.Errorf("%q is not a range such as 10000-19999", text)
	}
	return low, high, nil
}
