// Moor is Mooring's one binary: the commands of developers and operators, and
// every role of the system as a subcommand.
package main

import (
	"os"
	"runtime/debug"

	"fmt"

	"github.com/urfave/cli/v2"
)

func main() {
	app := &cli.App{Name: "moor", Commands: []*cli.Command{devCommand(), controlPlaneCommand(), apiCommand(), schedulerCommand(), orchestratorCommand(), cellCommand(), volumeManagerCommand()}}
	if err := app.Run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// version is the module's, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && version == "(devel)" {
			version = setting.Value
		}
	}
	return version
}
