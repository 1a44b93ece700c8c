package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"mooring/client"
	"mooring/model"
)

// openAgainAfter is how long to wait before the log of an instance that is
// down or moving is opened again.
const openAgainAfter = time.Second

// longestLine bounds one line of output as it is printed, in bytes.
const longestLine = 64 << 10

func logsCommand() *cli.Command {
	return command(developers, "logs", "APP [INDEX]", "show the output of an application's instances",
		`Without INDEX the output of all instances, each line with its index in front.
With --follow an instance is followed to the cell it moves to.

Examples:
   moor logs redis-data
   moor logs redis-data 3 --lines 500
   moor logs redis-data --follow`,
		[]cli.Flag{
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on with what comes"},
			&cli.IntFlag{Name: "lines", Aliases: []string{"n"}, Value: 100, Usage: "`NUMBER` of the last lines to begin with"},
			jsonFlag,
		}, logs)
}

func logs(s *session) error {
	name, err := s.name()
	if err != nil {
		return err
	}
	reader := &logReader{session: s, name: name}
	if text := s.Args().Get(1); text != "" {
		index, err := strconv.Atoi(text)
		if err != nil || index < 0 {
			return usage(s.Context, "INDEX is %q; give a whole number from 0", text)
		}
		return reader.read(s.ctx(), index)
	}
	instances, err := s.api.Instances(s.ctx(), name)
	if err != nil {
		return err
	}
	reader.prefixed = true
	group, ctx := errgroup.WithContext(s.ctx())
	for _, instance := range instances {
		group.Go(func() error {
			if !s.Bool("follow") {
				// One instance without output is no reason to hide the others'.
				if err := reader.read(ctx, instance.Index); err != nil && ctx.Err() == nil {
					reader.complain(instance.Index, err)
				}
				return nil
			}
			return reader.read(ctx, instance.Index)
		})
	}
	return group.Wait()
}

// logReader prints the output of instances, line by line.
type logReader struct {
	*session
	name     model.Name
	prefixed bool
	mu       sync.Mutex // one line at a time
}

// read prints the output of one instance; with --follow until the context
// ends, opening it again wherever the instance goes.
func (r *logReader) read(ctx context.Context, index int) error {
	options := client.LogOptions{Lines: r.Int("lines"), Follow: r.Bool("follow")}
	complained := false
	for {
		err := r.copy(ctx, index, options)
		if !options.Follow {
			return err
		}
		if client.NotFound(err) {
			return err
		}
		if err != nil && ctx.Err() == nil && !complained {
			r.complain(index, err)
		}
		complained = err != nil
		options.Lines = 0
		select {
		case <-time.After(openAgainAfter):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// copy prints what one connection gives.
func (r *logReader) copy(ctx context.Context, index int, options client.LogOptions) error {
	stream, err := r.api.Logs(ctx, r.name, index, options)
	if err != nil {
		return err
	}
	defer stream.Close()
	lines := bufio.NewReaderSize(stream, longestLine)
	for {
		// A line that is longer is printed in pieces: it has no bound.
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			if err := r.print(index, string(line)); err != nil {
				return err
			}
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the output of %s: %w", model.InstanceName(r.name, index), err)
		}
	}
}

// logLine is one line of output as JSON.
type logLine struct {
	Index int    `json:"index"`
	Line  string `json:"line"`
}

func (r *logReader) print(index int, line string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if r.Bool(jsonFlag.Name) {
		return r.line(logLine{index, line})
	}
	if r.prefixed {
		line = fmt.Sprintf("[%d] %s", index, line)
	}
	_, err := fmt.Fprintln(r.out, line)
	return err
}

func (r *logReader) complain(index int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.err, "moor: %s: %v\n", model.InstanceName(r.name, index), err)
}
