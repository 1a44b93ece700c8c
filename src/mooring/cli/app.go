package cli

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/urfave/cli/v2"
)

// The categories of commands in the help.
const (
	developers = "Applications"
	storage    = "Volumes"
	hosts      = "Cells"
	operators  = "Maintenance"
	everybody  = "What goes on"
	callers    = "Access"
)

// New gives the program with all commands of developers and operators, and
// extra ones beside them; an extra one takes the place of another of its name.
func New(extra ...*cli.Command) *cli.App {
	commands := slices.DeleteFunc(ownCommands(), func(c *cli.Command) bool { return find(extra, c.Name) != nil })
	app := &cli.App{
		Name:  "moor",
		Usage: "run persistent data services, and take their hosts through maintenance",
		Description: `Developers push applications with a lifecycle policy; operators roll cells
under all policies. Start a whole fleet on this machine with: moor dev`,
		Flags:          globalFlags(),
		Commands:       append(commands, extra...),
		Suggest:        true,
		ExitErrHandler: func(*cli.Context, error) {}, // Run decides
		OnUsageError:   misused,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage(c, "there is no command %q", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
	}
	refuseMisuse(app.Commands)
	return app
}

func ownCommands() []*cli.Command {
	return []*cli.Command{
		pushCommand(), checkPolicyCommand(), appsCommand(), appCommand(), scaleCommand(), deleteCommand(), logsCommand(),
		createVolumeSetCommand(), volumeSetsCommand(), volumesCommand(), deleteVolumeSetCommand(),
		cellsCommand(), cellCommand(),
		previewCommand(), rollCommand(), alias(plansCommand(), "rolls"), alias(planStatusCommand(), "roll-status"), pauseCommand(), resumeCommand(), abortCommand(),
		stuckCommand(), resolveCommand(), whyCommand(), gateCommand(), eventsCommand(),
		targetCommand(), loginCommand(), logoutCommand(), whoamiCommand(), createTokenCommand(),
	}
}

// Run runs the program and gives its exit status. args begin with the name of
// the program. SIGINT and SIGTERM end what is followed.
func Run(args []string, version string, extra ...*cli.Command) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app := New(extra...)
	app.Version = version
	return Execute(ctx, app, args)
}

// Execute runs a program made by New, with the reader and the writers it has,
// and gives the exit status.
func Execute(ctx context.Context, app *cli.App, args []string) int {
	app.Writer, app.ErrWriter = printableTo(orElse(app.Writer, os.Stdout)), printableTo(orElse(app.ErrWriter, os.Stderr))
	return report(app.ErrWriter, app.RunContext(ctx, reorder(app, args)))
}

func misused(c *cli.Context, err error, _ bool) error { return usage(c, "%v", err) }

// refuseMisuse makes every command end with the status for usage. One that
// knows better is left alone with its subcommands, and so is one that was seen
// before: urfave/cli puts its help command into itself.
func refuseMisuse(commands []*cli.Command) {
	for _, command := range commands {
		if command.OnUsageError == nil {
			command.OnUsageError = misused
			refuseMisuse(command.Subcommands)
		}
	}
}
