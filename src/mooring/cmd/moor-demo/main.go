// Command moor-demo rolls six hosts under a live Redis Cluster and reports
// what happened. Its exit status is 0 when every requirement was met.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/redis/go-redis/v9/logging"
	"github.com/urfave/cli/v2"

	"mooring/demo"
)

func main() {
	logging.Disable() // nodes are down on purpose
	app := &cli.App{
		Name:  "moor-demo",
		Usage: "roll six hosts under a live, loaded Redis Cluster",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "moor", Usage: "`PATH` of moor", Value: beside("moor")},
			&cli.StringFlag{Name: "redis-node", Usage: "`PATH` of the Redis kit's node", Value: beside("redis-node")},
			&cli.StringFlag{Name: "dir", Usage: "keep the fleet's state in `DIR`, which must be empty; a temporary one otherwise"},
			&cli.StringFlag{Name: "report", Usage: "write the figures to `FILE` as JSON"},
			&cli.Uint64Flag{Name: "chaos", Usage: "also kill one process at a moment that follows from `SEED`"},
		},
		Action: run,
	}
	if err := app.Run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "moor-demo:", err)
		os.Exit(1)
	}
}

// beside gives the path of a binary that was built with this one.
func beside(name string) string {
	own, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(own), name)
}

func run(c *cli.Context) error {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return fmt.Errorf("redis-server is not installed: apt-get install redis-server")
	}
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer stop()
	config := demo.Config{Out: os.Stdout, Dir: c.String("dir")}
	for name, into := range map[string]*string{"moor": &config.Moor, "redis-node": &config.RedisNode} {
		path, err := filepath.Abs(c.String(name))
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			return fmt.Errorf("--%s: %w", name, err)
		}
		*into = path
	}
	if c.IsSet("chaos") {
		config.Chaos = demo.NewChaos(c.Uint64("chaos"))
	}
	return tell(ctx, config, c.String("report"))
}

// tell runs the demo, prints and writes its figures, and judges them.
func tell(ctx context.Context, config demo.Config, reportFile string) error {
	temporary := config.Dir == ""
	if temporary {
		dir, err := os.MkdirTemp("", "moor-demo-")
		if err != nil {
			return fmt.Errorf("making a directory for the fleet: %w", err)
		}
		config.Dir = dir
	}
	report, failed := demo.Run(ctx, config)
	report.Print(os.Stdout)
	if reportFile != "" {
		if err := report.Write(reportFile); err != nil {
			return err
		}
	}
	missed := report.Missed()
	if config.Chaos != nil {
		missed = report.Broken()
	}
	for _, text := range missed {
		fmt.Println("MISSED:", text)
	}
	switch {
	case failed != nil:
		return fmt.Errorf("%w; the logs are in %s", failed, config.Dir)
	case len(missed) > 0:
		return fmt.Errorf("%d requirements were not met; the logs are in %s", len(missed), config.Dir)
	}
	fmt.Println("every requirement was met")
	if temporary {
		return os.RemoveAll(config.Dir)
	}
	return nil
}
