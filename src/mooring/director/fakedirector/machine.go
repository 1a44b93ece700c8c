package fakedirector

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"mooring/director/fakedirector/deployment"
	"mooring/director/fakedirector/vm"
)

// machine is the VM of an instance that a manifest asks for.
type machine struct {
	cloud *vm.Cloud
	vm    atomic.Pointer[vm.VM] // nil while there is none
	// wants is what the last manifest says of the instance, has what was put on
	// the VM: nil for nothing.
	wants, has *deployment.Instance
	watch      deployment.Watch // how long its processes have to run
	// dirty: its last update did not come to its end.
	dirty bool
}

// name is that of the VM and of its disk.
func (m *machine) name() string { return m.wants.Group + "-" + m.wants.ID }

func (m *machine) create() error {
	made, err := m.cloud.Create(m.name(), m.wants.IP, m.wants.PersistentDisk > 0)
	if err == nil {
		m.vm.Store(made)
	}
	return err
}

// delete ends the VM, where there is one.
func (m *machine) delete() error {
	if was := m.vm.Swap(nil); was != nil {
		return was.Delete()
	}
	return nil
}

// script runs a script of every job on the VM.
func (m *machine) script(t *task, i *Instance, name string, env []string) error {
	if m.vm.Load() == nil || m.has == nil {
		return nil
	}
	if err := m.vm.Load().Run(t.d.ctx, name, env); err != nil {
		return boshSays("Action Failed get_task: Task fake result: %v", err)
	}
	return nil
}

// act does to the VM what follows pre-stop, up to the point where its processes
// run.
func (m *machine) act(t *task, i *Instance, action string, advance func(string)) error {
	m.dirty = true
	if action != Start && m.vm.Load() != nil && m.has != nil {
		if !t.skipDrain {
			advance(executingDrain) // no job here has a drain script
		}
		advance(stoppingJobs)
		if err := m.vm.Load().Stop(t.d.ctx); err != nil {
			return boshSays("%v", err)
		}
		advance(executingPostStop)
		if err := m.script(t, i, "post-stop", nil); err != nil {
			return err
		}
	}
	switch action {
	case Stop:
		m.dirty = false
		return nil
	case Detach:
		m.dirty, m.has = false, nil
		return m.delete()
	case Delete:
		if err := m.delete(); err != nil {
			return err
		}
		return m.cloud.DeleteDisk(m.name())
	case Recreate:
		if err := m.delete(); err != nil {
			return err
		}
	}
	if m.vm.Load() == nil {
		if err := m.create(); err != nil {
			return boshSays("CPI error 'Bosh::Clouds::VMCreationFailed' with message '%v' in 'create_vm' CPI method", err)
		}
	}
	return m.start(t, i, advance)
}

// start puts what is wanted on the VM and starts it.
func (m *machine) start(t *task, i *Instance, advance func(string)) error {
	advance(installingPackages) // they are there
	advance(configuringJobs)
	if err := m.vm.Load().Configure(m.wants.Jobs); err != nil {
		return err
	}
	m.has = m.wants
	advance(executingPreStart)
	if err := m.script(t, i, "pre-start", nil); err != nil {
		return err
	}
	advance(startingJobs)
	if err := m.vm.Load().Start(t.d.ctx); err != nil {
		return boshSays("%v", err)
	}
	return m.awaitRunning(t, i)
}

// awaitRunning asks the agent how the processes are until they run, or the watch
// time is over. A cancelled task does not wait for it.
func (m *machine) awaitRunning(t *task, i *Instance) error {
	for _, pause := range watchSchedule(m.watch) {
		if err := t.checkpoint(); err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-t.d.ctx.Done():
			return t.d.ctx.Err()
		}
		if m.vm.Load().State(t.d.ctx) == vm.Running {
			m.dirty = false
			return nil
		}
	}
	says := fmt.Sprintf("'%s' is not running after update.", t.nameOf(i))
	if failing := m.vm.Load().NotRunning(t.d.ctx); len(failing) > 0 {
		says += " Review logs for failed jobs: " + strings.Join(failing, ", ")
	}
	return boshSays("%s", says)
}

// watchSchedule returns the pauses before each question: the least time, then
// ten intervals of one to fifteen seconds up to the most.
func watchSchedule(watch deployment.Watch) []time.Duration {
	pauses := []time.Duration{watch.Min}
	rest := watch.Max - watch.Min
	step := min(max(rest/9, time.Second), 15*time.Second)
	return append(pauses, slices.Repeat([]time.Duration{step}, int(rest/step))...)
}

// How the event log names the steps of an instance's update.
const (
	executingPreStop   = "executing pre-stop"
	skippedPreStop     = "skipped pre-stop & drain"
	executingDrain     = "executing drain"
	stoppingJobs       = "stopping jobs"
	executingPostStop  = "executing post-stop"
	installingPackages = "installing packages"
	configuringJobs    = "configuring jobs"
	executingPreStart  = "executing pre-start"
	startingJobs       = "starting jobs"
	executingPostStart = "executing post-start"
)
