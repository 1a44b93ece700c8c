// Package command is the command line of redis-node.
package command

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"mooring/kits/redis/node"
)

// App gives the command line. Everything else that it needs to know, Mooring
// says in the environment of the instance.
func App() *cli.App {
	return &cli.App{
		Name:  "redis-node",
		Usage: "one node of a Redis Cluster as an instance of a Mooring app",
		Commands: []*cli.Command{
			{
				Name: "run", Usage: "run the server and keep it in the cluster, until TERM",
				Flags:  []cli.Flag{&cli.StringFlag{Name: "server", Value: "redis-server", Usage: "the `PROGRAM` to run"}},
				Action: run,
			},
			{
				Name: "health", Usage: "exit 0 when the node serves",
				Flags:  []cli.Flag{timeout(2 * time.Second)},
				Action: health,
			},
			{
				Name: "interrupt", Usage: "make ready to be stopped for a while: hand over to a replica",
				Flags: []cli.Flag{timeout(0)},
				Action: func(c *cli.Context) error {
					return handle(c, node.Interrupt)
				},
			},
			{
				Name: "drain", Usage: "make ready to go for good: move slots away and leave the cluster",
				Flags: []cli.Flag{timeout(0)},
				Action: func(c *cli.Context) error {
					return handle(c, node.Drain)
				},
			},
		},
	}
}

func timeout(value time.Duration) cli.Flag {
	return &cli.DurationFlag{Name: "timeout", Value: value, Usage: "give up after `DURATION`; 0 is never"}
}

func run(c *cli.Context) error {
	settings, err := node.FromEnvironment(os.Environ())
	if err != nil {
		return err
	}
	settings.Server = c.String("server")
	ctx, stop := signal.NotifyContext(c.Context, syscall.SIGTERM, os.Interrupt)
	defer stop()
	return node.Run(ctx, settings, slog.New(slog.NewTextHandler(os.Stderr, nil)))
}

func health(c *cli.Context) error {
	settings, err := node.FromEnvironment(os.Environ())
	if err != nil {
		return err
	}
	ctx, stop := bounded(c)
	defer stop()
	if err := node.Health(ctx, settings); err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer, "ok")
	return nil
}

func handle(c *cli.Context, handler func(context.Context, node.Settings, *node.Progress) error) error {
	settings, err := node.FromEnvironment(os.Environ())
	if err != nil {
		return err
	}
	ctx, stop := bounded(c)
	defer stop()
	return handler(ctx, settings, &node.Progress{Out: c.App.Writer})
}

func bounded(c *cli.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(c.Context, syscall.SIGTERM, os.Interrupt)
	most := c.Duration("timeout")
	if most <= 0 {
		return ctx, stop
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	return ctx, func() { cancel(); stop() }
}
