package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"time"

	"mooring/kits/redis/cluster"
)

// drainMark is kept on the volume so that a drain that is begun again goes on
// where it was, and so that a node that is drained stays away.
type drainMark struct {
	Slots int       `json:"slots"` // at the beginning
	Done  bool      `json:"done"`
	At    time.Time `json:"at"`
}

// Drain makes the node ready to go for good with its data: its slots move to
// the other primaries, its replicas get another primary, and the other nodes
// forget it. It may be cut short anywhere and run again.
func Drain(ctx context.Context, s Settings, progress *Progress) error {
	own := connect(s.Address())
	defer own.Close()
	moves, err := waitLock(ctx, s.file(movesLock))
	if err != nil {
		return fmt.Errorf("waiting for slot moves of this node to end: %w", err)
	}
	defer moves.release()
	d := &drain{settings: s, own: own, progress: progress}
	for {
		done, err := d.step(ctx)
		if done || ctx.Err() != nil {
			return err
		}
		rest := movePause
		if err != nil {
			d.progress.report(d.reached, "%s; now: %v", d.message, err)
			rest = activePause
		}
		if !pause(ctx, rest) {
			return fmt.Errorf("draining: %w", ctx.Err())
		}
	}
}

type drain struct {
	settings Settings
	own      *server
	progress *Progress
	reached  float64
	message  string
}

func (d *drain) report(done float64, format string, args ...any) {
	d.reached, d.message = done, fmt.Sprintf(format, args...)
	d.progress.report(done, "%s", d.message)
}

// step does what comes next. An error is a reason to try again.
func (d *drain) step(ctx context.Context) (done bool, err error) {
	view, err := d.own.view(ctx)
	if err != nil {
		return false, err
	}
	me := view.Myself()
	mark, err := d.mark(me)
	if err != nil {
		return false, err
	}
	switch {
	case len(me.Leaving)+len(me.Arriving) > 0:
		return false, finishMoves(ctx, view)
	case me.Count() > 0:
		return false, d.moveSome(ctx, view, mark)
	case len(view.Replicas(me.ID)) > 0:
		d.report(0.9, "%d of %d slots moved, handing over the replicas", mark.Slots, mark.Slots)
		return false, d.rehome(ctx, view)
	}
	d.report(0.95, "%d of %d slots moved, leaving the cluster", mark.Slots, mark.Slots)
	if !me.Quitting {
		return false, d.own.run(ctx, "config", "set", "cluster-announce-hostname", d.settings.Self.LeavingHostname())
	}
	if known, err := d.leave(ctx, view); err != nil || known {
		return false, err
	}
	mark.Done, mark.At = true, time.Now()
	if err := d.write(mark); err != nil {
		return false, err
	}
	d.report(1, "%d of %d slots moved, the other nodes have forgotten this one", mark.Slots, mark.Slots)
	return true, nil
}

// mark gives what a drain that was cut short left, or begins.
func (d *drain) mark(me *cluster.Node) (drainMark, error) {
	var mark drainMark
	content, err := os.ReadFile(d.settings.file(drainedMark))
	if err == nil && json.Unmarshal(content, &mark) == nil {
		return mark, nil
	}
	mark = drainMark{Slots: me.Count()}
	return mark, d.write(mark)
}

func (d *drain) write(mark drainMark) error {
	content, err := json.Marshal(mark)
	if err != nil {
		return fmt.Errorf("writing the mark of the drain: %w", err)
	}
	return writeMark(d.settings.file(drainedMark), content)
}

// moveSome moves the next slots to the first primary that has less than an even
// part of all; a primary that is alone hands over to its replica instead.
func (d *drain) moveSome(ctx context.Context, view *cluster.View, mark drainMark) error {
	me := view.Myself()
	others := slices.DeleteFunc(view.Primaries(), func(n *cluster.Node) bool { return n.Myself })
	if len(others) == 0 {
		best, err := bestReplica(ctx, d.own, view)
		if err != nil {
			return err
		}
		d.report(0.5, "no other primary: handing all %d slots over to instance %d", mark.Slots, best.node.Identity.Index)
		return handOver(ctx, d.settings, d.own, best)
	}
	slices.SortFunc(others, func(a, b *cluster.Node) int { return a.Identity.Index - b.Identity.Index })
	part := (cluster.Slots + len(others) - 1) / len(others)
	at := slices.IndexFunc(others, func(n *cluster.Node) bool { return n.Connected && !n.Failed && n.Count() < part })
	if at < 0 {
		return errors.New("no other primary can take slots")
	}
	moving := me.SlotList()
	moving = moving[:min(len(moving), slotsAtOnce, part-others[at].Count())]
	if err := moveSlots(ctx, view, me.ID, others[at].ID, moving); err != nil {
		return err
	}
	moved := mark.Slots - me.Count() + len(moving)
	d.report(0.9*float64(moved)/float64(max(1, mark.Slots)), "%d of %d slots moved", moved, mark.Slots)
	return nil
}

// rehome gives each replica of the node the primary with fewest replicas.
func (d *drain) rehome(ctx context.Context, view *cluster.View) error {
	me := view.Myself()
	for _, replica := range view.Replicas(me.ID) {
		primaries := view.Primaries()
		if len(primaries) == 0 {
			return fmt.Errorf("no primary is left for the replica at instance %d", replica.Identity.Index)
		}
		sort.SliceStable(primaries, func(i, j int) bool {
			return len(view.Replicas(primaries[i].ID)) < len(view.Replicas(primaries[j].ID))
		})
		if err := replicateAt(ctx, replica, me, primaries[0]); err != nil && !replica.Failed {
			return err
		}
		// What the view says of it is old news now.
		replica.PrimaryID = primaries[0].ID
	}
	return nil
}

// replicateAt has a replica change its primary, once: to say it twice would
// break the link that the first time made.
func replicateAt(ctx context.Context, replica, from, to *cluster.Node) error {
	at := connectNode(replica)
	defer at.Close()
	theirs, err := at.view(ctx)
	if err != nil || theirs.Myself().PrimaryID != from.ID {
		return err
	}
	return at.run(ctx, "cluster", "replicate", to.ID)
}

// leave has every other node forget this one. It reports true while one still
// knows it.
func (d *drain) leave(ctx context.Context, view *cluster.View) (known bool, err error) {
	me := view.Myself()
	for i := range view.Nodes {
		node := &view.Nodes[i]
		if node.Myself || node.Failed || node.Handshake || node.Host == "" {
			continue // one that is down drops it when it finds the index taken by another
		}
		still, err := d.forgetAt(ctx, node, me)
		if err != nil {
			return true, err
		}
		known = known || still
	}
	return known, nil
}

func (d *drain) forgetAt(ctx context.Context, node, me *cluster.Node) (known bool, err error) {
	at := connectNode(node)
	defer at.Close()
	theirs, err := at.view(ctx)
	if err != nil {
		return true, err
	}
	mine := theirs.Node(me.ID)
	if mine == nil {
		return false, nil
	}
	if mine.Count() > 0 || len(theirs.Replicas(me.ID)) > 0 {
		return true, fmt.Errorf("instance %d has not heard yet that this node has nothing left", node.Identity.Index)
	}
	return true, at.run(ctx, "cluster", "forget", me.ID)
}
