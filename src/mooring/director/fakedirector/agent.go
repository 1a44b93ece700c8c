package fakedirector

// Silence has the agent of an instance answer nobody, until its VM is made
// again.
func (d *Director) Silence(id string) {
	i := d.instance(id)
	d.mu.Lock()
	defer d.mu.Unlock()
	i.silent = true
}

func (d *Director) isSilent(i *Instance) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return i.silent
}

// checkAgents refuses to go on where an agent that has to say how its instance
// is does not.
func (t *task) checkAgents(members ...*Instance) error {
	for _, i := range members {
		if t.d.isSilent(i) && !t.d.isGone(i) {
			return boshSays("%s/%s: Timed out sending 'get_state' to instance: '%[1]s/%[2]s', agent-id: 'agent-%[2]s' after 45 seconds", t.d.groupOf(i), i.ID)
		}
	}
	return nil
}

// Break has every call answered with an error of the Director's own making, or
// no longer. Its tasks go on.
func (d *Director) Break(broken bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = broken
}

// Forbid has every login refused, or no longer. Its tasks go on.
func (d *Director) Forbid(forbidden bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forbidden = forbidden
}

// LoseWorker has the worker of a task die. The Director, which has heard nothing
// of it for a while, gives the task up, and its lock is free.
func (d *Director) LoseWorker(id int) {
	d.mu.Lock()
	t := d.tasks[id-1]
	t.state, t.result = "timeout", ""
	d.mu.Unlock()
	t.unlock()
}
