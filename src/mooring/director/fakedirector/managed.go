package fakedirector

import (
	"slices"

	"mooring/director/fakedirector/deployment"
	"mooring/director/fakedirector/vm"
)

// What a Director does that is given manifests: instances are VMs of a cloud,
// with the jobs of releases on them.

// Deploy is what `bosh deploy` is asked for besides a manifest.
type Deploy struct {
	DryRun    bool
	Recreate  bool // every VM
	SkipDrain bool
}

// DeployManifest starts an update_deployment task for a manifest, as package
// deployment interpolates it, and returns its ID. The Director needs a Planner
// and a Cloud.
func (d *Director) DeployManifest(manifest any, options Deploy) int {
	return d.submit("create deployment", "", "", true, func(t *task) error {
		t.skipDrain = options.SkipDrain
		next, err := d.cfg.Planner.Prepare(manifest, d.deployed)
		if err != nil {
			return boshSays("%v", err)
		}
		if options.DryRun {
			return nil
		}
		if err := t.carryOut(next, options); err != nil {
			return err
		}
		next.Carried()
		d.carried = true
		return nil
	})
}

// carryOut makes of a deployment what is there.
func (t *task) carryOut(next *deployment.Deployment, options Deploy) error {
	removed := t.d.adopt(next)
	if err := t.deleteUnneeded(next, removed, len(removed)); err != nil {
		return err
	}
	if err := t.createMissing(); err != nil {
		return err
	}
	for _, group := range next.Groups {
		if err := t.updateGroup(next, group, options); err != nil {
			return err
		}
	}
	return nil
}

// adopt has the Director manage what a deployment says, and returns the
// instances of groups that are gone.
func (d *Director) adopt(next *deployment.Deployment) (removed []*Instance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deployed, d.deleted = next, false
	for _, group := range next.Groups {
		if group.Lifecycle == errand {
			continue
		}
		for _, wants := range group.Instances {
			i := d.find(wants.ID)
			if i == nil {
				i = &Instance{ID: wants.ID, Group: wants.Group, machine: &machine{cloud: d.cfg.Cloud}}
				d.instances = append(d.instances, i)
			}
			i.AZ, i.Index, i.Bootstrap = wants.AZ, wants.Index, wants.Bootstrap
			i.machine.wants, i.machine.watch = wants, group.Update.UpdateWatch
		}
	}
	for _, gone := range next.Removed {
		if i := d.find(gone.ID); i != nil {
			removed = append(removed, i)
		}
	}
	return removed
}

// errand is the lifecycle of groups that run when they are asked to.
const errand = "errand"

// find returns the instance of an ID. The Director's mutex is held.
func (d *Director) find(id string) *Instance {
	at := slices.IndexFunc(d.instances, func(i *Instance) bool { return i.ID == id })
	if at < 0 {
		return nil
	}
	return d.instances[at]
}

// VM returns the VM of an instance; nil while there is none.
func (d *Director) VM(id string) *vm.VM {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := d.find(id); i != nil && i.machine != nil {
		return i.machine.vm.Load()
	}
	return nil
}

// Lose has the VM of an instance end, as that of a host that fails: nobody was
// asked, and the Director has not heard of it. Its persistent disk stays.
func (d *Director) Lose(id string) error { return d.VM(id).Delete() }

// Deployed returns what the last manifest made; nil before the first.
func (d *Director) Deployed() *deployment.Deployment {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.deployed
}

// createMissing makes the VMs that are not there yet, before anything is done to
// those that are.
func (t *task) createMissing() error {
	var missing []*Instance
	t.d.mu.Lock()
	for _, i := range t.d.instances {
		if i.machine != nil && i.machine.vm.Load() == nil && !i.stopped {
			missing = append(missing, i)
		}
	}
	records := t.d.deployed.Records
	t.d.mu.Unlock()
	if err := t.d.cfg.Cloud.Name(records); err != nil {
		return err
	}
	return t.together(missing, len(missing), func(i *Instance) error {
		return t.track("Creating missing vms", t.d.groupOf(i), t.nameOf(i), func(func(string)) error { return i.machine.create() })
	})
}

// deleteUnneeded deletes instances that the manifest does without, most at a
// time.
func (t *task) deleteUnneeded(next *deployment.Deployment, gone []*Instance, most int) error {
	return t.together(gone, most, func(i *Instance) error {
		if err := t.take(i, "Deleting unneeded instances", Delete, states("delete", "delete", "keep")); err != nil {
			return err
		}
		t.d.mu.Lock()
		defer t.d.mu.Unlock()
		if was := next.Instance(i.ID); was != nil {
			next.Forget(was)
		}
		return nil
	})
}

// updateGroup takes one group to what the manifest says of it.
func (t *task) updateGroup(next *deployment.Deployment, group *deployment.Group, options Deploy) error {
	if group.Lifecycle == errand {
		return nil
	}
	var obsolete []*Instance
	t.d.mu.Lock()
	for _, was := range group.Obsolete {
		if i := t.d.find(was.ID); i != nil {
			obsolete = append(obsolete, i)
		}
	}
	t.d.mu.Unlock()
	if err := t.deleteUnneeded(next, obsolete, group.Update.MaxInFlightOf(len(obsolete))); err != nil {
		return err
	}
	parallel := group.Update.ParallelFirstDeploy && !t.d.carried
	var batches [][]*Instance
	for _, wants := range group.Instances {
		i := t.d.instance(wants.ID)
		if t.d.isIgnored(i) || t.actionFor(i, options) == "" {
			continue
		}
		if len(batches) == 0 || !parallel && batches[len(batches)-1][0].AZ != i.AZ {
			batches = append(batches, nil)
		}
		batches[len(batches)-1] = append(batches[len(batches)-1], i)
	}
	return t.inBatches(batches, group.Update.CanariesOf, group.Update.MaxInFlightOf, func(i *Instance, canary bool) error {
		return t.updateInstance(i, group, options, canary)
	})
}

// actionFor is what a deploy does to an instance; "" is nothing.
func (t *task) actionFor(i *Instance, options Deploy) string {
	m := i.machine
	changes := m.wants.Changes(m.has)
	switch {
	case t.d.isStopped(i):
		return "" // stopped instances stay so; what they are to be they become when started
	case m.has == nil:
		return Start
	case options.Recreate || deployment.Recreates(changes):
		return Recreate
	case m.dirty || len(changes) > 0:
		return Restart
	}
	return ""
}

func (t *task) updateInstance(i *Instance, group *deployment.Group, options Deploy, canary bool) error {
	action := t.actionFor(i, options)
	i.machine.watch = group.Update.UpdateWatch
	if canary {
		i.machine.watch = group.Update.CanaryWatch
	}
	return t.takeAs(i, "Updating instance", t.stepOf(i, canary), action, envOf(action))
}
