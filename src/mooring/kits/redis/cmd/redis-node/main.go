// Command redis-node runs one node of a Redis Cluster as an instance of a
// Mooring app.
package main

import (
	"fmt"
	"os"

	"github.com/redis/go-redis/v9/logging"

	"mooring/kits/redis/command"
)

func main() {
	logging.Disable() // a peer that is down is said once, by the node itself
	if err := command.App().Run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "redis-node:", err)
		os.Exit(1)
	}
}
