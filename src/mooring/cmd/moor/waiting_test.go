package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/urfave/cli/v2"

	"mooring/state"
)

// freeAddress returns an address of the loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	return listener.Addr().String()
}

// start runs a role until ctx ends, and returns what it ends with. Roles share
// their flags, so it returns once they are read.
func start(ctx context.Context, command *cli.Command, args ...string) <-chan error {
	ended, read := make(chan error, 1), make(chan struct{})
	command.Before = func(*cli.Context) error { close(read); return nil }
	app := &cli.App{Commands: []*cli.Command{command}}
	go func() { ended <- app.RunContext(ctx, append([]string{"moor", command.Name}, args...)) }()
	<-read
	return ended
}

// On a first deploy BOSH starts the second control node only once everything on
// the first runs, and etcd has no majority before.
func TestRole_StaysUpUntilEtcdAnswers(t *testing.T) {
	g := NewWithT(t)
	etcd, listen := freeAddress(t), freeAddress(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	served := filepath.Join(t.TempDir(), "served")
	api := start(ctx, apiCommand(), "--etcd", "http://"+etcd, "--listen", listen, "--served-file", served)
	others := []<-chan error{
		start(ctx, schedulerCommand(), "--etcd", "http://"+etcd, "--name", "one"),
		start(ctx, orchestratorCommand(), "--etcd", "http://"+etcd, "--name", "one"),
	}
	health := func() (string, error) {
		answer, err := http.Get("http://" + listen + "/healthz")
		if err != nil {
			return "", err
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		return fmt.Sprint(answer.StatusCode, " ", string(body)), err
	}
	g.Eventually(health, 30*time.Second).Should(MatchRegexp(`^503 .*"detail":"this node is waiting for the state: read the state from etcd at http://` + etcd + `: .*is it running, and reachable from here\?`))
	g.Expect(served).NotTo(BeAnExistingFile())
	g.Expect(served).NotTo(BeAnExistingFile())

	server, err := state.StartEmbedded(ctx, state.EmbeddedConfig{Dir: t.TempDir(), ListenClient: etcd})
	g.Expect(err).NotTo(HaveOccurred())
	defer server.Close()
	g.Eventually(health, 30*time.Second).Should(MatchRegexp(`^200 .*"status":"ok"`))

	g.Eventually(served, 10*time.Second).Should(BeAnExistingFile())
	store, err := state.Open(ctx, state.Config{Endpoints: server.Endpoints()})
	g.Expect(err).NotTo(HaveOccurred())
	defer store.Close()
	g.Eventually(func() (map[string]string, error) { return store.Leaders(ctx) }, 30*time.Second).
		Should(And(HaveKeyWithValue("scheduler", "one"), HaveKeyWithValue("orchestrator", "one")))
	cancel()
	for _, role := range append(others, api) {
		g.Eventually(role, 10*time.Second).Should(Receive(BeNil()))
	}
}

func TestRole_StopsWhileItWaitsForEtcd(t *testing.T) {
	g := NewWithT(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	listen := freeAddress(t)
	ended := start(ctx, apiCommand(), "--etcd", "http://"+freeAddress(t), "--listen", listen)
	g.Eventually(func() error {
		answer, err := http.Get("http://" + listen + "/healthz")
		if err == nil {
			answer.Body.Close()
		}
		return err
	}, 10*time.Second).Should(Succeed())
	cancel()
	g.Eventually(ended, 10*time.Second).Should(Receive(BeNil()))
}
