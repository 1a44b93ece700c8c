package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"mooring/boot"
	"mooring/dev"
)

const rolesCategory = "Roles"

var bootFlag = &cli.StringFlag{Name: "boot", Usage: "`ID` of the host's boot (default: what moor boot-id prints)"}

func bootOf(c *cli.Context) (string, error) {
	if given := c.String(bootFlag.Name); given != "" {
		return given, nil
	}
	id, err := boot.ID()
	if err != nil {
		return "", fmt.Errorf("finding the host's boot: %w; or give it with --%s", err, bootFlag.Name)
	}
	return id, nil
}

func bootIDCommand() *cli.Command {
	return &cli.Command{
		Name: "boot-id", Category: rolesCategory,
		Usage: "print which boot of this host it is",
		Description: `A UUID that is another one once the host was rebooted or recreated, also where
VMs share a kernel, and the same in between. It is made of the kernel's boot id,
the PID namespace, the start of PID 1, and the ID of BOSH's agent, which only
root may read: run it as root and hand it to the roles with --boot.

Example:
   moor cell-agent --boot "$(moor boot-id)" ...`,
		Action: func(c *cli.Context) error {
			id, err := boot.ID()
			if err == nil {
				_, err = fmt.Fprintln(c.App.Writer, id)
			}
			return err
		},
	}
}

// untilStopped runs a daemon until it is told to stop: by a signal, or because
// the supervisor that started it is gone.
func untilStopped(c *cli.Context, run func(context.Context) error) error {
	return untilStoppedOr(c, nil, run)
}

// untilStoppedOr is untilStopped for a daemon that starts processes: killLeft
// kills those that are left when it cannot stop in good order.
func untilStoppedOr(c *cli.Context, killLeft func(), run func(context.Context) error) error {
	ctx, err := dev.WithLifeline(c.Context, killLeft)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return run(ctx)
}
