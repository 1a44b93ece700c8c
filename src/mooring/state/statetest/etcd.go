// Package statetest gives tests a real etcd: one for the whole test binary, in
// which each test has an empty state of its own.
package statetest

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"mooring/state"
)

// etcd is shared by all tests of the binary; each has a prefix of its own.
var (
	etcd     *state.Embedded
	prefixes atomic.Int64
)

// Main starts etcd, runs the tests and exits; call it from TestMain.
func Main(m *testing.M) {
	if config := os.Getenv(memberEnv); config != "" {
		runMember(config)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "etcd-test")
	if err == nil {
		defer os.RemoveAll(dir)
		etcd, err = state.StartEmbedded(context.Background(), state.EmbeddedConfig{Dir: dir, ListenClient: "127.0.0.1:0"})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer etcd.Close()
	return m.Run()
}

// Prefix gives the prefix of a state that is empty.
func Prefix() string { return fmt.Sprintf("/test-%d/", prefixes.Add(1)) }

// Open connects to the state at a prefix until the test ends. Any number of
// stores may be open on one.
func Open(t testing.TB, prefix string) *state.Store {
	t.Helper()
	if etcd == nil {
		t.Fatal("the package's TestMain has to call statetest.Main")
	}
	store, err := state.Open(t.Context(), state.Config{Endpoints: etcd.Endpoints(), Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}
