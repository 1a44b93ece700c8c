package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"mooring/kits/redis/cluster"
)

// writePause holds back writes during a handover. It is longer than the
// handover can take, so that the old primary takes no write that the new one
// would not have; it is ended as soon as the outcome is certain.
const writePause = electionTime + 2*time.Second

// handOver makes a caught-up replica the primary in this node's place, and
// returns once this node is its replica. moves must be held.
func handOver(ctx context.Context, s Settings, own *server, to *candidate) error {
	replica := connectNode(to.node)
	defer replica.Close()
	// Should this server die now, the next one must know that the replica may
	// become primary any moment.
	if err := writeMark(s.file(handoverMark), []byte(to.node.ID)); err != nil {
		return err
	}
	if err := own.pauseWrites(ctx, writePause); err != nil {
		return err
	}
	begun := time.Now()
	asked := replica.run(ctx, "cluster", "failover")
	var refusal redis.Error // anything else may have been heard all the same
	refused := errors.As(asked, &refusal)
	for !refused && time.Since(begun) < electionTime {
		if role(ctx, own) == "slave" {
			break
		}
		if !pause(ctx, 10*time.Millisecond) {
			return ctx.Err() // the pause and the mark outlive what may still happen
		}
	}
	if err := own.resumeWrites(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(s.file(handoverMark)); err != nil {
		return fmt.Errorf("removing the mark of the handover: %w", err)
	}
	switch {
	case refused:
		return fmt.Errorf("instance %d refused to become primary: %w", to.node.Identity.Index, asked)
	case role(ctx, own) != "slave":
		return fmt.Errorf("instance %d was not elected within %s", to.node.Identity.Index, electionTime)
	}
	return nil
}

func role(ctx context.Context, at *server) string {
	facts, err := at.facts(ctx, "replication")
	if err != nil {
		return ""
	}
	return facts["role"]
}

// candidate is a replica that could become primary.
type candidate struct {
	node *cluster.Node
	lag  int64 // bytes it is behind
}

// lagAllowed is how far behind a replica may be when a handover begins: it
// catches up while writes are held back, so it decides how long that is.
const lagAllowed = 1 << 20

// bestReplica chooses the replica to hand over to. The error says what is
// wrong with each when there is none.
func bestReplica(ctx context.Context, own *server, view *cluster.View) (*candidate, error) {
	facts, err := own.facts(ctx, "replication")
	if err != nil {
		return nil, err
	}
	offset, _ := strconv.ParseInt(facts["master_repl_offset"], 10, 64)
	var (
		fit    []*candidate
		faults []error
	)
	for _, node := range view.Replicas(view.Myself().ID) {
		there, err := replicaOffset(ctx, node)
		if err == nil && offset-there > lagAllowed {
			err = fmt.Errorf("it is %d bytes behind", offset-there)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("instance %d: %w", node.Identity.Index, err))
			continue
		}
		fit = append(fit, &candidate{node: node, lag: offset - there})
	}
	if len(fit) == 0 {
		if len(faults) == 0 {
			faults = []error{errors.New("the node has no replica")}
		}
		return nil, errors.Join(faults...)
	}
	sort.SliceStable(fit, func(i, j int) bool { return fit[i].lag < fit[j].lag })
	return fit[0], nil
}

// replicaOffset gives how far a replica has come, or why it cannot be primary
// now. One whose log is being rewritten is refused: after a full
// synchronisation that log is the only place on its volume with the data, and
// it is not complete before the rewrite ends.
func replicaOffset(ctx context.Context, node *cluster.Node) (int64, error) {
	if node.Failed || node.Host == "" {
		return 0, errors.New("it is down")
	}
	replica := connectNode(node)
	defer replica.Close()
	facts, err := replica.facts(ctx, "replication", "persistence")
	if err != nil {
		return 0, err
	}
	for _, needed := range []struct{ key, value, fault string }{
		{"loading", "0", "it is loading its data"},
		{"role", "slave", "it is not a replica"},
		{"master_link_status", "up", "its link to the primary is down"},
		{"master_sync_in_progress", "0", "it is being synchronised"},
		{"aof_enabled", "1", "it does not log its data"},
		{"aof_rewrite_in_progress", "0", "its log is being rewritten"},
		{"aof_rewrite_scheduled", "0", "its log is to be rewritten"},
		{"aof_last_write_status", "ok", "it cannot write its log"},
	} {
		if facts[needed.key] != needed.value {
			return 0, errors.New(needed.fault)
		}
	}
	offset, err := strconv.ParseInt(facts["slave_repl_offset"], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading its replication offset: %w", err)
	}
	return offset, nil
}
