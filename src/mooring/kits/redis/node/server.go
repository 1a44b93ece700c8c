package node

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"mooring/kits/redis/cluster"
)

// server is a connection to one Redis server. It does not follow redirections
// and tries once: whoever asks decides what to do about no answer.
type server struct {
	*redis.Client
	address string
}

// dialsBeforeRest: after as many failures to connect as the pool is large, the
// client library tries once a second only, and a server that comes back is to
// be seen at once.
const dialsBeforeRest = 1024

func connect(address string) *server {
	return &server{address: address, Client: redis.NewClient(&redis.Options{
		Addr: address, Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		MaxRetries:               -1, DialerRetries: 1,
		PoolSize:    dialsBeforeRest,
		DialTimeout: time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 2 * time.Second,
		ContextTimeoutEnabled: true,
	})}
}

func connectNode(node *cluster.Node) *server {
	return connect(net.JoinHostPort(node.Host, strconv.Itoa(node.Port)))
}

// view asks the server how it sees the cluster.
func (s *server) view(ctx context.Context) (*cluster.View, error) {
	text, err := s.ClusterNodes(ctx).Result()
	if err != nil {
		return nil, fmt.Errorf("asking %s for its cluster: %w", s.address, err)
	}
	return cluster.ParseView(text)
}

// facts asks for sections of INFO, as key and value.
func (s *server) facts(ctx context.Context, sections ...string) (map[string]string, error) {
	text, err := s.Info(ctx, sections...).Result()
	if err != nil {
		return nil, fmt.Errorf("asking %s about itself: %w", s.address, err)
	}
	return parseFacts(text), nil
}

// healthy reports whether the server says that the cluster works for it.
func (s *server) clusterState(ctx context.Context) (string, error) {
	text, err := s.ClusterInfo(ctx).Result()
	if err != nil {
		return "", fmt.Errorf("asking %s for the state of the cluster: %w", s.address, err)
	}
	return parseFacts(text)["cluster_state"], nil
}

func parseFacts(text string) map[string]string {
	facts := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			facts[key] = value
		}
	}
	return facts
}

// run sends a command whose answer is OK or an error.
func (s *server) run(ctx context.Context, args ...any) error {
	if err := s.Do(ctx, args...).Err(); err != nil {
		return fmt.Errorf("%v at %s: %w", args, s.address, err)
	}
	return nil
}

// pauseWrites holds back every write for at most so long. It never shortens a
// pause there is already.
func (s *server) pauseWrites(ctx context.Context, most time.Duration) error {
	return s.run(ctx, "client", "pause", most.Milliseconds(), "write")
}

func (s *server) resumeWrites(ctx context.Context) error { return s.run(ctx, "client", "unpause") }
