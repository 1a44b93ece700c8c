package fakedirector

import (
	"cmp"
	"fmt"
)

// What is done to one instance, and how the event log tells it: in a deploy the
// instance is a step of the stage; acted on alone, it is a stage of its own.

// take takes one instance through an action as a deploy does.
func (t *task) take(i *Instance, stage, action string, env []string) error {
	return t.takeAs(i, stage, t.nameOf(i), action, env)
}

// takeAs does so under the name of a step.
func (t *task) takeAs(i *Instance, stage, step, action string, env []string) error {
	if t.d.isStopped(i) && (action == Restart || action == Recreate) {
		action = Start // the group is to run, all of it
	}
	return t.track(stage, t.d.groupOf(i), step, func(advance func(string)) error {
		if action != Start {
			if t.skipDrain {
				advance(skippedPreStop)
			} else {
				advance(executingPreStop)
				if err := t.preStop(i, env); err != nil {
					return err
				}
			}
		}
		if err := t.act(i, action, advance); err != nil || ends(action) {
			return err
		}
		advance(executingPostStart)
		return t.begin(i)
	})
}

// takeAlone takes one instance through an action that is for it alone.
func (t *task) takeAlone(i *Instance, action string) error {
	act := func() error { return t.act(i, action, func(string) {}) }
	begin := func() error { return t.begin(i) }
	stop := func() error { return t.preStop(i, envOf(action)) }
	type step struct {
		name string
		do   []func() error
	}
	steps := map[string][]step{
		Stop:     {{"Stopping instance", []func() error{stop, act}}},
		Detach:   {{"Stopping instance", []func() error{stop}}, {"Deleting VM", []func() error{act}}},
		Start:    {{"Starting instance", []func() error{act, begin}}},
		Restart:  {{"Stopping instance", []func() error{stop}}, {"Starting instance", []func() error{act, begin}}},
		Recreate: {{"Stopping instance", []func() error{stop}}, {"Deleting VM", nil}, {"Creating VM", []func() error{act}}, {"Starting instance", []func() error{begin}}},
	}
	for _, step := range steps[action] {
		if err := t.track("Updating instance "+t.nameOf(i), t.d.groupOf(i), step.name, func(func(string)) error {
			for _, do := range step.do {
				if err := do(); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// ends reports whether an action leaves nothing running.
func ends(action string) bool { return action == Stop || action == Detach || action == Delete }

// nameOf is an instance as BOSH writes it.
func (t *task) nameOf(i *Instance) string {
	return fmt.Sprintf("%s/%s (%d)", t.d.groupOf(i), i.ID, i.Index)
}

// preStop runs the script, where there is anything to run it on. Whatever
// becomes of the task, it runs to its end.
func (t *task) preStop(i *Instance, env []string) error {
	if i.machine != nil {
		return cmp.Or(i.machine.script(t, i, "pre-stop", env), t.checkpoint())
	}
	if i.VM.PreStop == nil || t.d.isGone(i) || t.d.isSilent(i) {
		return nil
	}
	if err := i.VM.PreStop(t.d.ctx, env); err != nil {
		return boshSays("Action Failed get_task: Task fake result: 1 of 1 pre-stop scripts failed. Failed Jobs: cell. (%s: %v)", t.nameOf(i), err)
	}
	return t.checkpoint()
}

// act does to an instance what follows pre-stop, up to its processes.
func (t *task) act(i *Instance, action string, advance func(string)) error {
	if i.machine != nil {
		if err := i.machine.act(t, i, action, advance); err != nil {
			return err
		}
	} else if err := t.actByTest(i, action, advance); err != nil {
		return err
	}
	t.d.setStopped(i, action == Stop || action == Detach)
	if action == Delete {
		t.d.remove(i)
	}
	return nil
}

// actByTest has the test's VM act, in the middle of the steps that BOSH goes
// through.
func (t *task) actByTest(i *Instance, action string, advance func(string)) error {
	if action != Start {
		advance(executingDrain)
		advance(stoppingJobs)
	}
	if i.VM.Act != nil {
		err := i.VM.Act(action)
		t.d.setGone(i, err != nil && action == Recreate)
		if err != nil {
			return boshSays("CPI error on %s: %v", t.nameOf(i), err)
		}
	}
	if action != Start {
		advance(executingPostStop)
	}
	if !ends(action) {
		for _, step := range []string{installingPackages, configuringJobs, executingPreStart, startingJobs} {
			advance(step)
		}
	}
	return nil
}

// begin runs the post-start script.
func (t *task) begin(i *Instance) error {
	if i.machine != nil {
		return i.machine.script(t, i, "post-start", nil)
	}
	if i.VM.PostStart == nil {
		return nil
	}
	if err := i.VM.PostStart(t.d.ctx); err != nil {
		return boshSays("Action Failed get_task: Task fake result: 1 of 1 post-start scripts failed. Failed Jobs: cell. (%s: %v)", t.nameOf(i), err)
	}
	return nil
}
