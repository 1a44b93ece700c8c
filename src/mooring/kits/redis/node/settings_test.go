package node_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/kits/redis/cluster"
	"mooring/kits/redis/node"
	"mooring/model"
)

var environment = []string{
	"CF_INSTANCE_INDEX=3", "CF_INSTANCE_IP=127.0.0.1", "PORT=10000", "PORT_BUS=10001",
	"MOORING_APP=acme/prod/redis-data", "MOORING_API=http://127.0.0.1:1", "MOORING_VOLUME_REDIS_DATA=/var/volumes/x/",
	"MOORING_TOKEN=shown",
}

func TestWhatMooringSaysIsEnough(t *testing.T) {
	g := NewWithT(t)
	settings, err := node.FromEnvironment(environment)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(settings).To(Equal(node.Settings{
		Self: cluster.Identity{Index: 3, App: model.Name{Org: "acme", Space: "prod", Name: "redis-data"}},
		Host: "127.0.0.1", Port: 10000, Bus: 10001, Dir: "/var/volumes/x",
		API: "http://127.0.0.1:1", Token: "shown", Server: "redis-server",
	}))
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	for i, line := range environment {
		if i == 5 || i == 7 {
			continue // without an answer of Mooring the node runs on what it knows
		}
		t.Run(line, func(t *testing.T) {
			g := NewWithT(t)
			rest := append(append([]string{}, environment[:i]...), environment[i+1:]...)
			_, err := node.FromEnvironment(rest)
			key, _, _ := strings.Cut(line, "=")
			g.Expect(err).To(MatchError(ContainSubstring(key[:min(len(key), 14)])))
		})
	}
	t.Run("two volumes", func(t *testing.T) {
		_, err := node.FromEnvironment(append([]string{"MOORING_VOLUME_LOGS=/x"}, environment...))
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("2 volumes")))
	})
}
