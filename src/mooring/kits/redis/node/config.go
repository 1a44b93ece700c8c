package node

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// config gives the text of redis.conf. README.md says why the settings that
// decide about acknowledged writes are as they are.
func (s Settings) config() string {
	lines := [][]string{
		{"bind", s.Host},
		{"port", strconv.Itoa(s.Port)},
		{"protected-mode", "no"}, // it is bound to the instance's own address
		{"dir", s.Dir},
		{"daemonize", "no"},
		{"logfile", ""},
		{"shutdown-timeout", "5"},

		// Every acknowledged write is on the volume.
		{"appendonly", "yes"},
		{"appendfsync", "always"},
		{"no-appendfsync-on-rewrite", "no"},
		{"save", ""},

		{"cluster-enabled", "yes"},
		{"cluster-config-file", "nodes.conf"},
		{"cluster-port", strconv.Itoa(s.Bus)},
		{"cluster-announce-ip", s.Host},
		{"cluster-announce-hostname", s.Self.Hostname()},
		{"cluster-node-timeout", "5000"},
		{"cluster-require-full-coverage", "no"},
		// A primary that died comes back with all its data; a replica may lack
		// some. So only a handover, or the end of a volume, makes primaries.
		{"cluster-replica-no-failover", "yes"},
		{"cluster-allow-replica-migration", "no"},

		{"replica-announce-ip", s.Host},
		{"repl-diskless-sync", "yes"},
		{"repl-diskless-sync-delay", "0"},
		{"repl-ping-replica-period", "2"},
		{"repl-timeout", "10"},
	}
	var text strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&text, "%s %q\n", line[0], line[1])
	}
	return text.String()
}

// writeConfig puts redis.conf on the volume and gives its path.
func (s Settings) writeConfig() (string, error) {
	path := s.file("redis.conf")
	if err := os.WriteFile(path, []byte(s.config()), 0o600); err != nil {
		return "", fmt.Errorf("writing the server's configuration: %w", err)
	}
	return path, nil
}
