package node

import (
	"context"
	"fmt"
	"time"

	"mooring/kits/redis/cluster"
)

// Interrupt makes the node ready to be stopped for a while: a primary hands
// over to a caught-up replica. Every acknowledged write is on the volume
// already. It may be cut short anywhere and run again; it tries until the
// context ends.
func Interrupt(ctx context.Context, s Settings, progress *Progress) error {
	own := connect(s.Address())
	defer own.Close()
	moves, err := waitLock(ctx, s.file(movesLock))
	if err != nil {
		return fmt.Errorf("waiting for slot moves of this node to end: %w", err)
	}
	defer moves.release()
	for {
		done, err := interruptOnce(ctx, s, own, progress)
		if done || ctx.Err() != nil {
			return err
		}
		if err != nil {
			progress.report(0.1, "not handed over yet: %v", err)
		}
		if !pause(ctx, 100*time.Millisecond) {
			return fmt.Errorf("handing over: %w", ctx.Err())
		}
	}
}

// interruptOnce tries once. An error is a reason to try again.
func interruptOnce(ctx context.Context, s Settings, own *server, progress *Progress) (done bool, err error) {
	view, err := own.view(ctx)
	if err != nil {
		return false, err
	}
	me := view.Myself()
	if !me.Primary || me.Count() == 0 {
		return true, finishInterrupt(ctx, view, progress)
	}
	if len(view.Nodes) == 1 {
		progress.report(1, "the only node: nobody to hand over to, its data stays on the volume")
		return true, nil
	}
	if len(me.Leaving)+len(me.Arriving) > 0 {
		return false, finishMoves(ctx, view)
	}
	best, err := bestReplica(ctx, own, view)
	if err != nil {
		return false, err
	}
	progress.report(0.3, "instance %d has all the data, handing over to it", best.node.Identity.Index)
	if err := handOver(ctx, s, own, best); err != nil {
		return false, err
	}
	return false, nil
}

// finishInterrupt waits until the others serve without the node.
func finishInterrupt(ctx context.Context, view *cluster.View, progress *Progress) error {
	me := view.Myself()
	primary := view.Node(me.PrimaryID)
	if primary == nil || primary.Count() == 0 {
		progress.report(1, "the node serves nobody")
		return nil
	}
	progress.report(0.7, "instance %d is primary, waiting until all know", primary.Identity.Index)
	until := time.Now().Add(3 * time.Second)
	for _, node := range view.Primaries() {
		for time.Now().Before(until) && !knows(ctx, node, primary) {
			if !pause(ctx, 10*time.Millisecond) {
				return fmt.Errorf("waiting for the other primaries: %w", ctx.Err())
			}
		}
	}
	progress.report(1, "ready to be stopped: instance %d serves the slots", primary.Identity.Index)
	return nil
}

// knows reports whether a node sees that the cluster works and that primary
// owns its slots.
func knows(ctx context.Context, node, primary *cluster.Node) bool {
	if node.Failed || node.Host == "" {
		return true // it will learn it when it comes back
	}
	at := connectNode(node)
	defer at.Close()
	state, err := at.clusterState(ctx)
	if err != nil || state != "ok" {
		return false
	}
	view, err := at.view(ctx)
	if err != nil {
		return false
	}
	theirs := view.Node(primary.ID)
	return theirs != nil && theirs.Primary && theirs.Count() == primary.Count()
}
