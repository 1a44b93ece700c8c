package main

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"mooring/model"
)

var leaseFlag = &cli.DurationFlag{
	Name: "lease-ttl", Value: 10 * time.Second,
	Usage: "how long a cell may be silent before what can run elsewhere is started there",
}

// sizeValue is a flag such as 4G.
type sizeValue struct{ size model.Size }

func (v *sizeValue) Set(text string) error { return v.size.UnmarshalText([]byte(text)) }
func (v *sizeValue) String() string        { return v.size.String() }

func sizeFlag(name, value, usage string) *cli.GenericFlag {
	size, err := model.ParseSize(value)
	if err != nil {
		panic(err) // a default of ours
	}
	return &cli.GenericFlag{Name: name, Value: &sizeValue{size}, Usage: "`SIZE` such as 512M or 4G: " + usage}
}

func sizeOf(c *cli.Context, name string) model.Size { return c.Generic(name).(*sizeValue).size }

// logger writes a daemon's log to its standard error.
func logger(role string) *slog.Logger { return loggerTo(os.Stderr, role) }

// loggerTo writes lines of text, whose handler quotes what is not printable.
func loggerTo(w io.Writer, role string) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, nil)).With("role", role)
}
