// Moor is Mooring's one binary: the commands of developers and operators, and
// every role of the system as a subcommand.
package main

import (
	"os"
	"runtime/debug"

	ucli "github.com/urfave/cli/v2"

	"mooring/cli"
)

func main() {
	os.Exit(cli.Run(os.Args, version(), commands()...))
}

// commands are those that package cli does not have.
func commands() []*ucli.Command {
	return []*ucli.Command{
		devCommand(), controlPlaneCommand(), apiCommand(), schedulerCommand(), orchestratorCommand(), cellCommand(), volumeManagerCommand(), bootIDCommand(),
		placeCommand(), simulateCommand(),
	}
}

// commit is what a release was made from; its compilation sets it.
var commit string

// version is the module's, or the commit it was built from.
func version() string {
	if commit != "" {
		return commit
	}
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
