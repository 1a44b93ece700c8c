package node

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"mooring/kits/redis/cluster"
)

// slotsAtOnce is how many slots are moved in one go; keysAtOnce how many keys
// of a slot in one command, which blocks both nodes; slotsPerLook how many a
// node fetches before it looks whether a handler wants it to stop.
const (
	slotsAtOnce  = 64
	keysAtOnce   = 50
	slotsPerLook = 8 * slotsAtOnce
)

// moveSlots moves slots with their keys between two nodes of the view, given
// by ID. Clients are redirected key by key meanwhile. It may be cut short
// anywhere and be called again, even by two callers at once: a key is deleted
// where it was only after the other node has it on its volume, and as long as
// it is in both places only the first one serves it.
func moveSlots(ctx context.Context, view *cluster.View, fromID, toID string, slots []int) error {
	fromNode, toNode := view.Node(fromID), view.Node(toID)
	if fromNode == nil || toNode == nil {
		return fmt.Errorf("moving slots from %s to %s: the cluster has forgotten one of them", fromID, toID)
	}
	from, to := connectNode(fromNode), connectNode(toNode)
	defer from.Close()
	defer to.Close()

	owned, err := setSlots(ctx, to, slots, "already the owner", "importing", fromID)
	if err != nil {
		return err
	}
	lost, err := setSlots(ctx, from, slots, "not the owner", "migrating", toID)
	if err != nil {
		return err
	}
	var elsewhere []int
	for slot := range lost {
		if !owned[slot] {
			elsewhere = append(elsewhere, slot)
		}
	}
	if len(elsewhere) > 0 {
		if _, err := setSlots(ctx, to, elsewhere, "", "stable"); err != nil {
			return err
		}
		return fmt.Errorf("moving slots from %s to %s: %d of them belong to neither", from.address, to.address, len(elsewhere))
	}
	for _, slot := range slots {
		if err := moveKeys(ctx, from, toNode, slot); err != nil {
			return err
		}
	}
	// The new owner first: were the old one to give up first and die, the slot
	// would be nobody's.
	if _, err := setSlots(ctx, to, slots, "", "node", toID); err != nil {
		return err
	}
	_, err = setSlots(ctx, from, slots, "", "node", toID)
	return err
}

// finishMoves ends the moves that the node's own view shows as half done.
func finishMoves(ctx context.Context, view *cluster.View) error {
	me := view.Myself()
	own := connectNode(me)
	defer own.Close()
	for slot, id := range me.Leaving {
		if err := finishMove(ctx, own, view, slot, me.ID, id, id); err != nil {
			return err
		}
	}
	for slot, id := range me.Arriving {
		if err := finishMove(ctx, own, view, slot, id, me.ID, id); err != nil {
			return err
		}
	}
	return nil
}

// finishMove ends one move, or takes it back when the other node is gone.
func finishMove(ctx context.Context, own *server, view *cluster.View, slot int, fromID, toID, otherID string) error {
	if view.Node(otherID) == nil {
		_, err := setSlots(ctx, own, []int{slot}, "", "stable")
		return err
	}
	return moveSlots(ctx, view, fromID, toID, []int{slot})
}

// setSlots says one thing about slots to a node. It gives the slots for which
// the node answered with an error that contains refusal.
func setSlots(ctx context.Context, at *server, slots []int, refusal string, what ...any) (refused map[int]bool, err error) {
	commands, _ := at.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, slot := range slots {
			pipe.Do(ctx, append([]any{"cluster", "setslot", slot}, what...)...)
		}
		return nil
	})
	refused = map[int]bool{}
	for i, command := range commands {
		switch err := command.Err(); {
		case err == nil:
		case refusal != "" && strings.Contains(err.Error(), refusal):
			refused[slots[i]] = true
		default:
			return nil, fmt.Errorf("telling %s that slot %d is %v: %w", at.address, slots[i], what, err)
		}
	}
	return refused, nil
}

// moveKeys moves every key of a slot.
func moveKeys(ctx context.Context, from *server, to *cluster.Node, slot int) error {
	for {
		keys, err := from.ClusterGetKeysInSlot(ctx, slot, keysAtOnce).Result()
		if err != nil {
			return fmt.Errorf("listing the keys of slot %d at %s: %w", slot, from.address, err)
		}
		if len(keys) == 0 {
			return nil
		}
		args := []any{"migrate", to.Host, to.Port, "", 0, (5 * time.Second).Milliseconds(), "replace", "keys"}
		for _, key := range keys {
			args = append(args, key)
		}
		if err := from.Do(ctx, args...).Err(); err != nil && !strings.HasPrefix(err.Error(), "NOKEY") {
			return fmt.Errorf("moving %d keys of slot %d from %s: %w", len(keys), slot, from.address, err)
		}
	}
}
