package node

import (
	"context"
	"log/slog"
	"os"
	"time"

	"mooring/kits/redis/cluster"
)

// electionTime is longer than Redis lets a manual failover take (5 s): a
// handover that was begun before that long ago has happened or never will.
const electionTime = 6 * time.Second

// gate keeps a primary that starts again from taking writes until it is
// certain that no other node has taken its slots meanwhile. Redis itself waits
// two seconds for news; the gate waits for the facts.
type gate struct {
	settings  Settings
	own       *server
	directory *directory
	log       *slog.Logger
}

// open returns when the server may take writes, or false when ctx ended first.
func (g *gate) open(ctx context.Context) bool {
	started := time.Now()
	for g.own.pauseWrites(ctx, time.Minute) != nil {
		if !pause(ctx, 10*time.Millisecond) {
			return false
		}
	}
	// Nobody hands over while the gate is shut.
	moves, err := waitLock(ctx, g.settings.file(movesLock))
	if err != nil {
		return false
	}
	defer moves.release()
	reason := ""
	for {
		why := g.shut(ctx, started)
		if why == "" {
			break
		}
		if why != reason {
			g.log.Info("not taking writes yet", "because", why)
			reason = why
		}
		// The pause must not run out under a gate that is shut for long.
		_ = g.own.pauseWrites(ctx, time.Minute)
		if !pause(ctx, 50*time.Millisecond) {
			return false
		}
	}
	if err := os.RemoveAll(g.settings.file(handoverMark)); err != nil {
		g.log.Error("removing the mark of a handover", "error", err)
	}
	for g.own.resumeWrites(ctx) != nil {
		if !pause(ctx, 50*time.Millisecond) {
			return false
		}
	}
	return true
}

// shut says why the server may not take writes yet, "" when it may.
func (g *gate) shut(ctx context.Context, started time.Time) string {
	view, err := g.own.view(ctx)
	if err != nil {
		return "the server is loading its data"
	}
	me := view.Myself()
	if !me.Primary || me.Count() == 0 {
		return ""
	}
	if exists(g.settings.file(handoverMark)) && time.Since(started) < electionTime {
		return "a handover was under way and may still happen"
	}
	agreed, primaries := 1, 0
	for _, node := range view.Primaries() {
		primaries++
		if node.Myself {
			continue
		}
		if theirs := g.ask(ctx, node); theirs != nil {
			if lost := contested(theirs, me); lost {
				return "another node may have the slots now"
			}
			agreed++
		}
	}
	for _, replica := range view.Replicas(me.ID) {
		if theirs := g.ask(ctx, replica); theirs != nil && contested(theirs, me) {
			return "a replica may have the slots now"
		}
	}
	if agreed <= primaries/2 {
		return "most primaries do not answer"
	}
	return ""
}

// ask gives how a node sees the cluster, nil when it does not answer: at the
// address where it was, or where Mooring says its instance is now.
func (g *gate) ask(ctx context.Context, node *cluster.Node) *cluster.View {
	if view := askAt(ctx, node); view != nil && view.Myself().ID == node.ID {
		return view
	}
	members, err := g.directory.members(ctx)
	if err != nil || !node.Known {
		return nil
	}
	member, found := members[node.Identity.Index]
	if !found {
		return nil
	}
	view := askAt(ctx, &cluster.Node{Host: member.Host, Port: member.Port})
	if view == nil || view.Myself().ID != node.ID {
		return nil
	}
	return view
}

func askAt(ctx context.Context, node *cluster.Node) *cluster.View {
	if node.Host == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	other := connectNode(node)
	defer other.Close()
	view, err := other.view(ctx)
	if err != nil {
		return nil
	}
	return view
}

// contested reports whether a view gives slots of me to another node.
func contested(view *cluster.View, me *cluster.Node) bool {
	for _, owner := range view.Primaries() {
		if owner.ID == me.ID {
			continue
		}
		for _, slot := range owner.SlotList() {
			if me.Owns(slot) {
				return true
			}
		}
	}
	return false
}
