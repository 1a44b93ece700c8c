package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/model"
)

// session is one run of one command.
type session struct {
	*cli.Context
	api *client.Client
	// to is which API is called, and as whom.
	to target
	// here is the org and the space of names that leave them out.
	here model.Name
	in   *bufio.Reader
	out  io.Writer
	err  io.Writer
	now  func() time.Time
}

var jsonFlag = &cli.BoolFlag{Name: "json", Usage: "print JSON"}

// command makes a command that calls the API. args names its arguments, those
// that may be left out in brackets: "APP [INDEX]".
func command(category, name, args, usage, description string, flags []cli.Flag, run func(*session) error) *cli.Command {
	return &cli.Command{
		Name: name, Category: category, ArgsUsage: args, Usage: usage, Description: description, Flags: flags,
		HideHelpCommand: true,
		Action: func(c *cli.Context) error {
			if err := checkArgs(c, strings.Fields(args)); err != nil {
				return err
			}
			s, err := newSession(c)
			if err != nil {
				return err
			}
			return run(s)
		},
	}
}

// alias has a command answer to an earlier name as well.
func alias(c *cli.Command, name string) *cli.Command {
	c.Aliases = append(c.Aliases, name)
	return c
}

func checkArgs(c *cli.Context, wanted []string) error {
	for i, name := range wanted {
		if i >= c.NArg() && !strings.HasPrefix(name, "[") {
			return usage(c, "%s is missing", name)
		}
	}
	if c.NArg() > len(wanted) {
		return usage(c, "%q is one argument too many", c.Args().Get(len(wanted)))
	}
	return nil
}

func newSession(c *cli.Context) (*session, error) {
	to, err := targetOf(c)
	if err != nil {
		return nil, &statusError{exitUsage, err.Error()}
	}
	api, err := to.connect()
	if err != nil {
		return nil, &statusError{exitUsage, err.Error()}
	}
	return &session{
		Context: c,
		api:     api,
		to:      to,
		here:    model.Name{Org: to.Org, Space: to.Space},
		in:      bufio.NewReader(c.App.Reader),
		out:     c.App.Writer,
		err:     c.App.ErrWriter,
		now:     time.Now,
	}, nil
}

// ctx ends when the program is told to stop.
func (s *session) ctx() context.Context { return s.Context.Context }

// name reads the first argument, which names an app or a volume set.
func (s *session) name() (model.Name, error) {
	name, err := model.ParseName(s.Args().First(), s.here)
	if err != nil {
		return name, usage(s.Context, "%v", err)
	}
	return name, nil
}

// json reports whether JSON was asked for; value is then printed.
func (s *session) json(value any) (bool, error) {
	if !s.Bool(jsonFlag.Name) {
		return false, nil
	}
	encoder := json.NewEncoder(s.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return true, encoder.Encode(value)
}

// line prints a value as JSON on one line.
func (s *session) line(value any) error {
	encoder := json.NewEncoder(s.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// say prints a line. What it is told of has no say in where the line ends.
func (s *session) say(format string, args ...any) {
	for i, arg := range args {
		if text, is := arg.(string); is {
			args[i] = model.Printable(text)
		}
	}
	fmt.Fprintf(s.out, format+"\n", args...)
}

// warn says on standard error what was accepted and deserves a second look.
func (s *session) warn(warnings []string) {
	for _, text := range warnings {
		fmt.Fprintln(s.err, "WARNING:", text)
	}
}

// typed asks for a text and gives what was typed, without the end of the line.
// At the end of the input it gives "".
func (s *session) typed(question string) string {
	fmt.Fprint(s.err, question+" ")
	answer, err := s.in.ReadString('\n')
	if err != nil {
		fmt.Fprintln(s.err)
	}
	return strings.TrimSpace(answer)
}

// read reads a file, "-" for standard input, and gives the name to use for it
// in messages.
func (s *session) read(file string) (string, []byte, error) {
	if file == "-" {
		data, err := io.ReadAll(s.in)
		return "standard input", data, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return file, nil, fmt.Errorf("read %s: %w", file, err)
	}
	return file, data, nil
}
