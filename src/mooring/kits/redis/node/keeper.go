package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"mooring/kits/redis/cluster"
)

// keeper carries out, again and again, what package cluster decides for the
// node.
type keeper struct {
	settings  Settings
	own       *server
	directory *directory
	log       *slog.Logger
	conns     map[string]*server // to peers, by address

	waiting string    // what was last waited for
	since   time.Time // since when
	failure string    // what last went wrong, said once
}

// How often the keeper looks: at rest, while the node lacks something, and
// while slots are moving here.
const (
	restPause   = time.Second
	activePause = 200 * time.Millisecond
	movePause   = 20 * time.Millisecond
	// patience is how long a node waits for members that do not answer before
	// it takes a place without them.
	patience = 15 * time.Second
)

func (k *keeper) keep(ctx context.Context) {
	for {
		next, err := k.look(ctx)
		if ctx.Err() != nil {
			return
		}
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != k.failure {
			if k.failure = text; text != "" {
				k.log.Warn("keeping the node in the cluster", "error", err)
			}
		}
		if !pause(ctx, next) {
			return
		}
	}
}

func (k *keeper) close() {
	for _, conn := range k.conns {
		conn.Close()
	}
}

// look decides and acts once, and says how long to rest. It leaves everything
// alone while a handler is at work.
func (k *keeper) look(ctx context.Context) (time.Duration, error) {
	moves, err := tryLock(k.settings.file(movesLock))
	if errors.Is(err, errHeld) {
		return activePause, nil
	}
	if err != nil {
		return restPause, err
	}
	defer moves.release()
	if k.drained() {
		return restPause, nil
	}
	members, unreachable := k.directory.members(ctx)
	view, err := k.own.view(ctx)
	if err != nil {
		return activePause, err
	}
	if me := view.Myself(); me.Quitting {
		// A drain was taken back.
		return activePause, k.own.run(ctx, "config", "set", "cluster-announce-hostname", k.settings.Self.Hostname())
	}
	situation := cluster.Situation{
		Self: k.settings.Self, View: view, Members: members, Peers: k.peers(ctx, members, view),
		Joined:  exists(k.settings.file(joinedMark)),
		Patient: k.waiting != "" && time.Since(k.since) > patience,
	}
	decision := cluster.Decide(situation)
	k.note(decision)
	if decision.Waiting == "" && !situation.Joined {
		if err := writeMark(k.settings.file(joinedMark), nil); err != nil {
			return activePause, err
		}
	}
	rest := restPause
	if decision.Waiting != "" {
		rest = activePause
	}
	for _, action := range decision.Actions {
		if err := k.carryOut(ctx, action, view); err != nil {
			return activePause, err
		}
		if action.Verb == cluster.Pull || action.Verb == cluster.Finish {
			rest = movePause
		}
	}
	return rest, unreachable
}

// drained reports whether a drain has ended so lately that the node is about
// to be stopped. A node that is not stopped after all joins again, and a drain
// that was cut short leaves no mark behind.
func (k *keeper) drained() bool {
	path := k.settings.file(drainedMark)
	content, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var mark drainMark
	if json.Unmarshal(content, &mark) == nil && mark.Done && time.Since(mark.At) < time.Minute {
		return true
	}
	if err := os.Remove(path); err != nil {
		k.log.Error("removing the mark of a drain", "error", err)
	}
	return false
}

// note logs what the node waits for when that changes.
func (k *keeper) note(decision cluster.Decision) {
	if decision.Waiting == "" {
		if k.waiting != "" {
			k.log.Info("the node has its place in the cluster")
		}
		k.waiting = ""
		return
	}
	if k.waiting == "" {
		k.since = time.Now()
	}
	if decision.Waiting != k.waiting {
		k.log.Info("the node has no place in the cluster yet", "because", decision.Waiting)
	}
	k.waiting = decision.Waiting
}

// peers asks every other member, at the address Mooring gives, or the last one
// known while Mooring cannot be asked.
func (k *keeper) peers(ctx context.Context, members map[int]cluster.Member, view *cluster.View) map[int]*cluster.View {
	addresses := map[int]string{}
	if members != nil {
		for index, member := range members {
			if member.Host != "" && member.Port != 0 {
				addresses[index] = net.JoinHostPort(member.Host, strconv.Itoa(member.Port))
			}
		}
	} else {
		for _, node := range view.Nodes {
			if node.Known && node.Host != "" && !node.Failed && node.Identity.App == k.settings.Self.App {
				addresses[node.Identity.Index] = net.JoinHostPort(node.Host, strconv.Itoa(node.Port))
			}
		}
	}
	delete(addresses, k.settings.Self.Index)
	k.dropOthers(addresses)

	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var (
		wait  sync.WaitGroup
		lock  sync.Mutex
		views = map[int]*cluster.View{}
	)
	for index, address := range addresses {
		conn := k.conns[address]
		wait.Go(func() {
			theirs, err := conn.view(ctx)
			if err == nil && cluster.Belongs(theirs, k.settings.Self.App, index) {
				lock.Lock()
				defer lock.Unlock()
				views[index] = theirs
			}
		})
	}
	wait.Wait()
	return views
}

// dropOthers keeps one connection to each address and to no other.
func (k *keeper) dropOthers(addresses map[int]string) {
	wanted := map[string]bool{}
	for _, address := range addresses {
		wanted[address] = true
		if k.conns[address] == nil {
			k.conns[address] = connect(address)
		}
	}
	for address, conn := range k.conns {
		if !wanted[address] {
			conn.Close()
			delete(k.conns, address)
		}
	}
}

func (k *keeper) carryOut(ctx context.Context, action cluster.Action, view *cluster.View) error {
	if action.Verb != cluster.Pull && action.Verb != cluster.Finish {
		k.log.Info("carrying out", "verb", action.Verb, "node", action.ID, "to", action.To.Index, "slots", len(action.Slots))
	}
	switch action.Verb {
	case cluster.Meet:
		if view.Myself().Count() == 0 && len(view.Nodes) == 1 {
			// Distinct epochs from the start spare the nodes from settling them.
			_ = k.own.run(ctx, "cluster", "set-config-epoch", k.settings.Self.Index+1)
		}
		return k.own.run(ctx, "cluster", "meet", action.To.Host, action.To.Port, action.To.Bus)
	case cluster.Forget:
		return k.own.run(ctx, "cluster", "forget", action.ID)
	case cluster.Claim:
		args := []any{"cluster", "addslots"}
		for _, slot := range action.Slots {
			args = append(args, slot)
		}
		return k.own.run(ctx, args...)
	case cluster.Replicate:
		return k.own.run(ctx, "cluster", "replicate", action.ID)
	case cluster.TakeOver:
		how := "force"
		if action.Force {
			how = "takeover"
		}
		return k.own.run(ctx, "cluster", "failover", how)
	case cluster.Pull:
		if view.Myself().Count() == 0 {
			// Its place is a new one, which it has when it has its share.
			if err := os.RemoveAll(k.settings.file(joinedMark)); err != nil {
				return fmt.Errorf("leaving the node's old place: %w", err)
			}
		}
		for batch := range slices.Chunk(action.Slots[:min(len(action.Slots), slotsPerLook)], slotsAtOnce) {
			if err := moveSlots(ctx, view, action.ID, view.Myself().ID, batch); err != nil {
				return err
			}
		}
		return nil
	case cluster.Finish:
		return finishMoves(ctx, view)
	}
	return fmt.Errorf("the node does not know how to %s", action.Verb)
}
