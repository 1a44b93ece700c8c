package cli

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// reorder puts flags where urfave/cli looks for them, in front of the
// arguments of their command, so that people may write them anywhere. A flag
// that the command does not have and the program does goes to the front.
func reorder(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	global := takesValue(app.Flags)
	var front, own, arguments []string
	commands, flags := app.Commands, global
	var path []string // commands with the flags that belong to each
	rest := args[1:]
	for i := 0; i < len(rest); i++ {
		word := rest[i]
		if word == "--" {
			arguments = append(arguments, rest[i+1:]...)
			break
		}
		if len(word) < 2 || word[0] != '-' {
			if next := find(commands, word); next != nil && len(arguments) == 0 {
				path = append(append(path, own...), word)
				commands, flags, own = next.Subcommands, takesValue(next.Flags), nil
				continue
			}
			arguments = append(arguments, word)
			continue
		}
		name, _, whole := strings.Cut(strings.TrimLeft(word, "-"), "=")
		value, known := flags[name]
		into := &own
		if hoisted, ok := global[name]; !known && ok {
			value, into = hoisted, &front
		}
		*into = append(*into, word)
		if value && !whole && i+1 < len(rest) {
			i++
			*into = append(*into, rest[i])
		}
	}
	ordered := slices.Concat(args[:1], front, path, own)
	if slices.ContainsFunc(arguments, func(a string) bool { return strings.HasPrefix(a, "-") }) {
		ordered = append(ordered, "--")
	}
	return append(ordered, arguments...)
}

// takesValue gives the names of flags, and whether each is followed by a value.
func takesValue(flags []cli.Flag) map[string]bool {
	names := make(map[string]bool)
	for _, flag := range flags {
		documented, ok := flag.(cli.DocGenerationFlag)
		for _, name := range flag.Names() {
			names[name] = ok && documented.TakesValue()
		}
	}
	return names
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, command := range commands {
		if command.HasName(name) {
			return command
		}
	}
	return nil
}
