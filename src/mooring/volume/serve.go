package volume

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// maxSocketPath is the longest path a unix socket can have on Linux.
const maxSocketPath = 107

// Config is what a volume manager is told when it starts.
type Config struct {
	// Socket is the path of the unix socket to listen on, at most 107 bytes.
	Socket string
	// CellID and Boot are who holds what is attached here. A volume that an
	// earlier boot had attached is not attached any more.
	CellID string
	Boot   string
	// Classes is what is offered.
	Classes []Class
	// Logger is required.
	Logger *slog.Logger
}

// Serve runs a volume manager until ctx ends; then it finishes the requests
// under way and returns nil. It fails when a class's directory cannot be
// written to, or another manager listens on the socket.
func Serve(ctx context.Context, cfg Config) error {
	if cfg.CellID == "" || cfg.Boot == "" {
		return errors.New("starting the volume manager: it must know its cell and boot")
	}
	listener, release, err := listen(cfg.Socket)
	if err != nil {
		return fmt.Errorf("starting the volume manager: %w", err)
	}
	defer release()
	defer listener.Close()
	m, err := newManager(cfg)
	if err != nil {
		return fmt.Errorf("starting the volume manager: %w", err)
	}
	defer m.usage.close()
	server := &http.Server{Handler: newHandler(m, cfg.Logger), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	cfg.Logger.Info("volume manager listens", "socket", cfg.Socket, "cell", cfg.CellID, "boot", cfg.Boot, "classes", len(cfg.Classes))
	select {
	case err := <-failed:
		return fmt.Errorf("serving volumes on %s: %w", cfg.Socket, err)
	case <-ctx.Done():
	}
	// A detach under way flushes data: it may take its time, not for ever.
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		server.Close()
	}
	<-failed
	return nil
}

// listen takes the socket for this process alone. The socket file of a
// manager that was killed is left behind, so who has it is said by a lock.
func listen(socket string) (listener net.Listener, release func(), err error) {
	if len(socket) > maxSocketPath || socket == "" {
		return nil, nil, fmt.Errorf("socket path %q has %d bytes; give one of 1 to %d", socket, len(socket), maxSocketPath)
	}
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		return nil, nil, err
	}
	// A manager that was just killed may take a moment to be gone.
	waiting, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	release, err = lockFile(waiting, socket+".lock")
	if err != nil {
		return nil, nil, fmt.Errorf("another volume manager has the socket %s: %w", socket, err)
	}
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		release()
		return nil, nil, err
	}
	listener, err = net.Listen("unix", socket)
	if err != nil {
		release()
		return nil, nil, err
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		listener.Close()
		release()
		return nil, nil, err
	}
	return listener, release, nil
}
