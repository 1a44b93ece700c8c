package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"mooring/dev"
)

const rolesCategory = "Roles"

// bootIDFile names the boot of a Linux host.
const bootIDFile = "/proc/sys/kernel/random/boot_id"

var bootFlag = &cli.StringFlag{Name: "boot", Usage: "`ID` of the host's boot (default: that of the kernel)"}

func bootOf(c *cli.Context) (string, error) {
	if boot := c.String(bootFlag.Name); boot != "" {
		return boot, nil
	}
	id, err := os.ReadFile(bootIDFile)
	if err != nil {
		return "", fmt.Errorf("find the host's boot: %w; give it with --%s", err, bootFlag.Name)
	}
	return strings.TrimSpace(string(id)), nil
}

// untilStopped runs a daemon until it is told to stop: by a signal, or because
// the supervisor that started it is gone.
func untilStopped(c *cli.Context, run func(context.Context) error) error {
	ctx, err := dev.WithLifeline(c.Context)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx)
}
