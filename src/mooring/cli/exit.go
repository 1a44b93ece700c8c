package cli

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/model"
)

// Exit statuses; see the package's documentation.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitStuck       = 3
	exitInterrupted = 130
)

// statusError is an error that ends the process with a status of its own.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

// usage is the error of a command line that makes no sense.
func usage(c *cli.Context, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if name := commandPath(c); name != "" {
		text += "; see " + name + " --help"
	}
	return &statusError{exitUsage, text}
}

// commandPath is the command as it is typed, such as "moor dev host".
func commandPath(c *cli.Context) string {
	if c == nil || c.Command == nil {
		return ""
	}
	if name := c.Command.HelpName; name != "" {
		return name
	}
	return "moor"
}

// report says on standard error why a command failed and gives its status.
func report(w io.Writer, err error) int {
	var own *statusError
	var coded cli.ExitCoder // of a command that is put beside those of this package
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &own):
		fmt.Fprintln(w, "moor:", own.text)
		return own.status
	case errors.As(err, &coded):
		fmt.Fprintln(w, "moor:", err)
		return coded.ExitCode()
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case strings.HasPrefix(err.Error(), "Required flag"): // urfave/cli has no type for it
		fmt.Fprintln(w, "moor:", err)
		return exitUsage
	}
	fmt.Fprintln(w, "moor:", explain(err))
	return exitFailed
}

// explain gives an error as it is shown: the faults of a request on lines of
// their own.
func explain(err error) string {
	var answer *client.Error
	var stranger x509.UnknownAuthorityError
	switch {
	case client.NotLoggedIn(err):
		return err.Error() + "\n  moor login --token TOKEN\n  moor login --client-cert FILE --client-key FILE"
	case errors.As(err, &stranger):
		return err.Error() + "\n  trust its certificate authority: moor target URL --ca FILE"
	case !errors.As(err, &answer) || len(answer.Errors) == 0:
		return err.Error()
	}
	lines := []string{model.Printable(cmp.Or(answer.Detail, answer.Title))}
	for _, fault := range answer.Errors {
		line := "  " + fault.Message
		if fault.Location != "" {
			line = "  " + fault.Location + ": " + fault.Message
		}
		lines = append(lines, model.Printable(line))
	}
	return strings.Join(lines, "\n")
}
