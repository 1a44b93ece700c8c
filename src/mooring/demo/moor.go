package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// moor is the command line that a person would use.
type moor struct {
	binary string
	env    []string
	dir    string
	tell   *teller
}

// do runs a command in front of the audience.
func (m *moor) do(ctx context.Context, args ...string) error {
	m.tell.say("$ moor %s", shown(args))
	out, err := m.run(ctx, args)
	m.tell.quote(string(out))
	return err
}

// insist is do, again while the control plane is away.
func (m *moor) insist(ctx context.Context, args ...string) error {
	return eventually(ctx, 20*time.Second, func() error { return m.do(ctx, args...) })
}

// ask reads what a command prints with --json.
func (m *moor) ask(ctx context.Context, into any, args ...string) error {
	out, err := m.run(ctx, append(args, "--json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("reading what moor %s printed: %w", strings.Join(args, " "), err)
	}
	return nil
}

func (m *moor) run(ctx context.Context, args []string) ([]byte, error) {
	command := m.command(ctx, args)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("moor %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}

func (m *moor) command(ctx context.Context, args []string) *exec.Cmd {
	command := exec.CommandContext(ctx, m.binary, args...)
	command.Env, command.Dir = m.env, m.dir
	return command
}

// shown gives arguments as they would be typed.
func shown(args []string) string {
	typed := make([]string, len(args))
	for i, arg := range args {
		typed[i] = arg
		if strings.ContainsAny(arg, " \"") {
			typed[i] = fmt.Sprintf("%q", arg)
		}
	}
	return strings.Join(typed, " ")
}

// eventually tries until there is no error, at most so long.
func eventually(ctx context.Context, most time.Duration, try func() error) error {
	end := time.Now().Add(most)
	for {
		err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(end) {
			return fmt.Errorf("after %s: %w", most, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
