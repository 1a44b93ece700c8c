package dev

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
)

// LifelineEnv names the variable that tells a child which file descriptor is
// its lifeline.
const LifelineEnv = "MOORING_DEV_LIFELINE"

// WithLifeline gives a context that also ends when the supervisor that
// started this process is gone, even by kill -9. In a process that no
// supervisor started it is ctx itself.
func WithLifeline(ctx context.Context) (context.Context, error) {
	text := os.Getenv(LifelineEnv)
	if text == "" {
		return ctx, nil
	}
	fd, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("%s is %q, not a file descriptor", LifelineEnv, text)
	}
	// What this process starts must not inherit the supervisor's promise.
	os.Unsetenv(LifelineEnv)
	pipe := os.NewFile(uintptr(fd), "lifeline")
	if pipe == nil {
		return nil, fmt.Errorf("%s names descriptor %d, which is not open", LifelineEnv, fd)
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, pipe)
		cancel()
	}()
	return ctx, nil
}
