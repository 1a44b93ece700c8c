package node

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// Run starts the server and keeps it in the cluster until the context ends;
// then it stops the server in good order. It returns an error when the server
// could not start or ended by itself: to start it again is the platform's
// business.
func Run(ctx context.Context, s Settings, logger *slog.Logger) error {
	logger = logger.With("instance", s.Self.Index)
	locking, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	hold, err := waitLock(locking, s.file(runLock))
	if err != nil {
		return fmt.Errorf("waiting for the last server on this volume to end: %w", err)
	}
	defer hold.release()
	config, err := s.writeConfig()
	if err != nil {
		return err
	}
	directory, err := newDirectory(s)
	if err != nil {
		return err
	}
	// A node that starts is wanted: whatever a drain left is void.
	if err := os.RemoveAll(s.file(drainedMark)); err != nil {
		return fmt.Errorf("removing the mark of a drain: %w", err)
	}
	process, err := start(s.Server, config, hold)
	if err != nil {
		return err
	}

	keeping, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	defer stopKeeping()
	own := connect(s.Address())
	defer own.Close()
	keeper := &keeper{settings: s, own: own, directory: directory, log: logger, conns: map[string]*server{}}
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		defer keeper.close()
		gate := &gate{settings: s, own: own, directory: directory, log: logger}
		if gate.open(keeping) {
			keeper.keep(keeping)
		}
	}()
	defer func() { <-kept }()
	defer stopKeeping()

	select {
	case <-process.ended:
		return fmt.Errorf("redis-server ended by itself: %w", process.err)
	case <-ctx.Done():
	}
	logger.Info("stopping the server")
	stopKeeping()
	process.stop()
	if process.err != nil {
		return fmt.Errorf("redis-server did not stop in good order: %w", process.err)
	}
	return nil
}
