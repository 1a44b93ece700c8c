package fakedirector

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Update is a deploy, or a converging action on the group.
type Update struct {
	// Group is the one that is acted on; "" is the Director's own.
	Group string
	// Action is what is done to every instance: Restart (also what a deploy of
	// new configuration does), Recreate (also a new stemcell), Stop, Detach or
	// Start.
	Action string
	// MaxInFlight is a number or a share of the instances of an AZ; "" is 1.
	MaxInFlight string
	Canaries    int
	// Remove lists the instances that the new manifest does without. They go
	// first.
	Remove []string
	// User and ContextID are the task's.
	User, ContextID string
}

// What BOSH does to an instance, as VM.Act is told. Detach is "stop --hard".
const (
	Restart  = "restart"
	Recreate = "recreate"
	Stop     = "stop"
	Detach   = "detach"
	Start    = "start"
	Delete   = "delete"
)

// envOf gives the environment that pre-stop is told the future in, where the
// instance stays.
func envOf(action string) []string {
	if action == Recreate || action == Detach {
		return states("delete", "keep", "keep")
	}
	return states("keep", "keep", "keep")
}

// states gives the environment that pre-stop is told the future in.
func states(vm, instance, deployment string) []string {
	return []string{"BOSH_VM_NEXT_STATE=" + vm, "BOSH_INSTANCE_NEXT_STATE=" + instance, "BOSH_DEPLOYMENT_NEXT_STATE=" + deployment}
}

// Deploy starts an update_deployment task and gives its ID. It passes over the
// instances that are ignored when it begins.
func (d *Director) Deploy(update Update) int {
	return d.submit("create deployment", update.User, update.ContextID, true, func(t *task) error {
		if err := d.checkRemoval(update.Remove); err != nil {
			return err
		}
		all := func(*Instance) bool { return true }
		if err := t.checkAgents(slices.Concat(d.inOrder(all)...)...); err != nil {
			return err
		}
		removed := func(i *Instance) bool { return slices.Contains(update.Remove, i.ID) }
		leaving := slices.Concat(d.inOrder(removed)...)
		if err := t.together(leaving, inFlight(update.MaxInFlight, len(leaving)), func(i *Instance) error {
			return t.take(i, "Deleting unneeded instances", Delete, states("delete", "delete", "keep"))
		}); err != nil {
			return err
		}
		if update.Action == "" {
			return nil
		}
		return t.actOnGroup(update)
	})
}

// actOnGroup does an action to every instance of a group. Of a deployment that a
// manifest made, what else is not as it is to be is updated too, each group in its
// turn.
func (t *task) actOnGroup(update Update) error {
	name := cmp.Or(update.Group, t.d.cfg.Group)
	act := func() error {
		members := t.d.inOrder(func(i *Instance) bool { return t.d.groupOf(i) == name })
		return t.inBatches(members,
			func(int) int { return update.Canaries },
			func(size int) int { return inFlight(update.MaxInFlight, size) },
			func(i *Instance, canary bool) error {
				return t.takeAs(i, "Updating instance", t.stepOf(i, canary), update.Action, envOf(update.Action))
			})
	}
	deployed := t.d.Deployed()
	if deployed == nil {
		return act()
	}
	for _, group := range deployed.Groups {
		step := func() error { return t.updateGroup(deployed, group, Deploy{}) }
		if group.Name == name {
			step = act
		}
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// inBatches takes instances batch by batch, most of one at a time, the canaries
// of the first batch before all others.
func (t *task) inBatches(batches [][]*Instance, canaries, most func(size int) int, take func(i *Instance, canary bool) error) error {
	for n, batch := range batches {
		at := most(len(batch))
		if first := min(canaries(len(batch)), len(batch)); n == 0 && first > 0 {
			if err := t.together(batch[:first], at, func(i *Instance) error { return take(i, true) }); err != nil {
				return err
			}
			batch = batch[first:]
		}
		if err := t.together(batch, at, func(i *Instance) error { return take(i, false) }); err != nil {
			return err
		}
	}
	return nil
}

// stepOf is an instance as a step of a stage.
func (t *task) stepOf(i *Instance, canary bool) string {
	if canary {
		return t.nameOf(i) + " (canary)"
	}
	return t.nameOf(i)
}

// DeleteDeployment starts a delete_deployment task and gives its ID.
func (d *Director) DeleteDeployment() int {
	return d.submit("delete deployment "+d.cfg.Deployment, "", "", true, func(t *task) error {
		if d.ignoresAny() {
			return boshSays("You are trying to delete deployment '%s', which contains ignored instance(s). Operation not allowed.", d.cfg.Deployment)
		}
		all := slices.Concat(d.inOrder(func(*Instance) bool { return true })...)
		err := t.together(all, len(all), func(i *Instance) error {
			return t.take(i, "Deleting instances", Delete, states("delete", "delete", "delete"))
		})
		if err == nil {
			d.mu.Lock()
			d.deleted, d.deployed, d.carried = true, nil, false
			d.mu.Unlock()
		}
		return err
	})
}

// ActOn starts a task that acts on one instance alone, and gives its ID.
func (d *Director) ActOn(id, action, user, contextID string) int {
	return d.actOn(id, action, user, contextID, false)
}

// actOn does so; silent is whether a recreate takes one whose agent does not
// answer.
func (d *Director) actOn(id, action, user, contextID string, silent bool) int {
	return d.submit(action+" instance", user, contextID, true, func(t *task) error {
		i := d.instance(id)
		if d.isIgnored(i) {
			return boshSays("You are trying to change the state of the ignored instance '%s/%s'.This operation is not allowed. You need to unignore it first.", d.groupOf(i), i.ID)
		}
		if !silent || action != Recreate {
			if err := t.checkAgents(i); err != nil {
				return err
			}
		}
		return t.takeAlone(i, action)
	})
}

// Resurrect starts a task that brings the VMs of instances back, all at once, as
// the resurrector has it done for those whose agents are silent: no script is
// asked before, and an instance that is ignored is left alone.
func (d *Director) Resurrect(ids ...string) int {
	return d.submit("scan and fix", "health_monitor", "", true, func(t *task) error {
		var silent []*Instance
		for _, id := range ids {
			if i := d.instance(id); !d.isIgnored(i) {
				silent = append(silent, i)
			}
		}
		return t.together(silent, len(silent), t.resurrect)
	})
}

func (t *task) resurrect(i *Instance) error {
	return t.track("Applying problem resolutions", t.d.groupOf(i), fmt.Sprintf("VM for '%s' with cloud ID 'fake' is not responding. (unresponsive_agent): Recreate VM", t.nameOf(i)), func(func(string)) error {
		if i.machine != nil {
			if err := i.machine.delete(); err != nil {
				return err
			}
		}
		if err := t.act(i, Recreate, func(string) {}); err != nil {
			return err
		}
		return t.begin(i)
	})
}

// inFlight reads a max_in_flight against the size of an AZ; at least 1.
func inFlight(text string, size int) int {
	share, percent := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(share)
	if err != nil {
		return 1
	}
	if percent {
		n = size * n / 100
	}
	return max(1, n)
}

// together takes instances in their order, some at a time. After a failure
// those in flight finish and the rest never start.
func (t *task) together(members []*Instance, most int, take func(*Instance) error) error {
	var mu sync.Mutex
	var first error
	var flying sync.WaitGroup
	seats := make(chan struct{}, max(1, most))
	for _, member := range members {
		seats <- struct{}{}
		mu.Lock()
		if first == nil {
			first = t.checkpoint()
		}
		failed := first != nil
		mu.Unlock()
		if failed {
			break
		}
		flying.Go(func() {
			defer func() { <-seats }()
			if err := take(member); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if first == nil {
					first = err
				}
			}
		})
	}
	flying.Wait()
	return first
}
