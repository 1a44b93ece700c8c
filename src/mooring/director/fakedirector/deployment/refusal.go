package deployment

import (
	"fmt"
	"strings"
)

// refusal is what the Director says no with, in its words.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

// refuse ends what the Director is at, to where it is caught.
func refuse(format string, args ...any) { panic(&refusal{fmt.Sprintf(format, args...)}) }

// saidf is an error in the words of others, which begin with a capital.
func saidf(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }

// caught runs a part of the work and returns what it was refused with.
func caught(work func()) (err error) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case *refusal:
			err = thrown
		default:
			panic(thrown)
		}
	}()
	work()
	return nil
}

// collected is errors of which all are said, below a header.
type collected []string

func (c *collected) add(err error) {
	if err != nil {
		*c = append(*c, strings.TrimSpace(err.Error()))
	}
}

// refuseUnder refuses with all errors, indented, if there are any.
func (c collected) refuseUnder(format string, args ...any) {
	if len(c) > 0 {
		refuse("%s\n%s", fmt.Sprintf(format, args...), indented(strings.Join(c, "\n")))
	}
}

func indented(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
