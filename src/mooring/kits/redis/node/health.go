package node

import (
	"context"
	"errors"
	"fmt"
)

// Health returns nil when the node serves: it answers, is not loading, has had
// its place in the cluster, the cluster works for it, and as a replica it has
// its primary's data. Otherwise the error says what is missing.
func Health(ctx context.Context, s Settings) error {
	own := connect(s.Address())
	defer own.Close()
	if err := own.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("the server does not serve: %w", err)
	}
	state, err := own.clusterState(ctx)
	if err != nil {
		return err
	}
	if state != "ok" {
		return fmt.Errorf("cluster_state is %q", state)
	}
	facts, err := own.facts(ctx, "replication")
	if err != nil {
		return err
	}
	if facts["role"] == "slave" && facts["master_link_status"] != "up" {
		return fmt.Errorf("the link to the primary %s:%s is %s", facts["master_host"], facts["master_port"], facts["master_link_status"])
	}
	if !exists(s.file(joinedMark)) {
		return errors.New("the node has no place in the cluster yet")
	}
	return nil
}
