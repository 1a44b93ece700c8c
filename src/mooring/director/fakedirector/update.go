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
		env := envOf(update.Action)
		one := func(i *Instance) error { return t.take(i, "Updating instance", update.Action, env) }
		canary := func(i *Instance) error {
			return t.takeAs(i, "Updating instance", t.nameOf(i)+" (canary)", update.Action, env)
		}
		group := cmp.Or(update.Group, d.cfg.Group)
		for n, members := range d.inOrder(func(i *Instance) bool { return d.groupOf(i) == group }) {
			most := inFlight(update.MaxInFlight, len(members))
			if canaries := min(update.Canaries, len(members)); n == 0 && canaries > 0 {
				if err := t.together(members[:canaries], most, canary); err != nil {
					return err
				}
				members = members[canaries:]
			}
			if err := t.together(members, most, one); err != nil {
				return err
			}
		}
		return nil
	})
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
