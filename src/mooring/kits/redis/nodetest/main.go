package nodetest

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/redis/go-redis/v9/logging"

	"mooring/kits/redis/command"
)

// asNode makes the test binary be redis-node.
const asNode = "NODETEST_AS_REDIS_NODE"

// Main is the TestMain of packages that use a Fleet: the test binary is
// redis-node too, so that nothing has to be built.
func Main(m *testing.M) {
	logging.Disable()
	if os.Getenv(asNode) != "" {
		if err := command.App().Run(append([]string{"redis-node"}, os.Args[1:]...)); err != nil {
			fmt.Fprintln(os.Stderr, "redis-node:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// NeedServer skips the test when redis-server is not installed.
func NeedServer(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: install it (apt-get install redis-server) to run this test")
	}
}
