package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"mooring/api/intake"
)

// Flags that bound what callers of the API hold.
var (
	maxConnectionsFlag = &cli.IntFlag{Name: "max-connections", Action: atLeastOne("max-connections"),
		Usage: "keep at most `N` connections to the API open; those on which nobody has shown who they are make way for others (default: seven eighths of the files that the process may open)"}
	perAddressFlag = &cli.IntFlag{Name: "max-connections-per-address", Value: intake.DefaultPerAddress, Action: atLeastOne("max-connections-per-address"),
		Usage: "keep at most `N` connections from one address open; 10,000 cells behind one address translator need 40,000"}
	perIdentityFlag = &cli.IntFlag{Name: "max-connections-per-identity", Value: intake.DefaultPerIdentity, Action: atLeastOne("max-connections-per-identity"),
		Usage: "keep at most `N` connections of one caller open"}
	perCellFlag = &cli.IntFlag{Name: "max-connections-per-cell", Value: intake.DefaultPerCell, Action: atLeastOne("max-connections-per-cell"),
		Usage: "keep at most `N` connections open on which one cell speaks of itself"}
	idleFlag = &cli.DurationFlag{Name: "idle-timeout", Value: intake.DefaultIdle, Action: positive("idle-timeout"),
		Usage: "close a connection to the API `DURATION` after its last answer"}
	bodyFlag = &cli.DurationFlag{Name: "body-timeout", Value: intake.DefaultBody, Action: positive("body-timeout"),
		Usage: "give up a request whose body takes longer than `DURATION` to come"}
)

// positive refuses a flag of that name that is no time.
func positive(name string) func(*cli.Context, time.Duration) error {
	return func(_ *cli.Context, d time.Duration) error {
		if d <= 0 {
			return fmt.Errorf("--%s is %s; give a time such as 30s", name, d)
		}
		return nil
	}
}

// intakeFlags bound what callers of the API hold.
func intakeFlags() []cli.Flag {
	return []cli.Flag{maxConnectionsFlag, perAddressFlag, perIdentityFlag, perCellFlag, idleFlag, bodyFlag}
}

func intakeLimits(c *cli.Context) intake.Limits {
	return intake.Limits{
		Total: c.Int(maxConnectionsFlag.Name), PerAddress: c.Int(perAddressFlag.Name), PerIdentity: c.Int(perIdentityFlag.Name),
		PerCell: c.Int(perCellFlag.Name), Idle: c.Duration(idleFlag.Name), Body: c.Duration(bodyFlag.Name),
	}
}
