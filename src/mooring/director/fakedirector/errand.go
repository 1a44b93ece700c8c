package fakedirector

import (
	"mooring/director/fakedirector/deployment"
)

// RunErrand starts a run_errand task for the errand of a job and returns its ID:
// on VMs made for it, in a group of the lifecycle errand, and on the instances
// that have the job otherwise. Printed returns what it printed.
func (d *Director) RunErrand(job string) int {
	return d.submit("run errand "+job+" from deployment "+d.cfg.Deployment, "", "", true, func(t *task) error {
		found := false
		for _, group := range d.Deployed().Groups {
			for _, wants := range group.Instances {
				if wants.Job(job) == nil {
					continue
				}
				found = true
				if err := t.runErrand(group, wants, job); err != nil {
					return err
				}
			}
		}
		if !found {
			return boshSays("Errand '%s' doesn't exist", job)
		}
		return nil
	})
}

func (t *task) runErrand(group *deployment.Group, wants *deployment.Instance, job string) error {
	if group.Lifecycle != errand {
		return t.print(t.d.VM(wants.ID).Errand(t.d.ctx, job))
	}
	if group.Err != nil {
		return boshSays("%v", group.Err)
	}
	i := &Instance{ID: wants.ID, Group: group.Name, AZ: wants.AZ, machine: &machine{cloud: t.d.cfg.Cloud, wants: wants, watch: group.Update.UpdateWatch}}
	if err := t.track("Updating instance", group.Name, t.nameOf(i), func(advance func(string)) error {
		if err := i.machine.act(t, i, Start, advance); err != nil {
			return err
		}
		return t.begin(i)
	}); err != nil {
		return err
	}
	ran := t.print(i.machine.vm.Load().Errand(t.d.ctx, job))
	if err := i.machine.delete(); err != nil {
		return err
	}
	return ran
}

// print keeps what an errand printed, and how it ended.
func (t *task) print(text string, err error) error {
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	t.listed = append(t.listed, text...)
	if err != nil {
		return boshSays("%v", err)
	}
	return nil
}

// Printed returns what the errand of a task printed.
func (d *Director) Printed(id int) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return string(d.tasks[id-1].listed)
}
