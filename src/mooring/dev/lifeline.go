package dev

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"
)

// LifelineEnv names the variable that tells a child which file descriptor is
// its lifeline.
const LifelineEnv = "MOORING_DEV_LIFELINE"

// orphanPatience is how long a process may take to stop in good order once its
// supervisor is gone. All of a fleet stop at once then, so that one may wait in
// vain for another.
const orphanPatience = stopPatience

// WithLifeline gives a context that also ends when the supervisor that
// started this process is gone, even by kill -9. Where the process then does not
// stop by itself in time, killLeft is called, which kills what the process has
// started (nil: it starts nothing), and the process exits. In a process that no
// supervisor started it is ctx itself.
func WithLifeline(ctx context.Context, killLeft func()) (context.Context, error) {
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
	syscall.CloseOnExec(fd)
	pipe := os.NewFile(uintptr(fd), "lifeline")
	if pipe == nil {
		return nil, fmt.Errorf("%s names descriptor %d, which is not open", LifelineEnv, fd)
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, pipe)
		cancel()
		<-time.After(orphanPatience)
		if killLeft != nil {
			killLeft()
		}
		os.Exit(1)
	}()
	return ctx, nil
}
