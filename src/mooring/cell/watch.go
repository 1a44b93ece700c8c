package cell

import (
	"reflect"
	"time"

	"mooring/container/health"
	"mooring/model"
)

// observe brings what is known of the process and its handler up to date.
func (d *driver) observe(w *want, now time.Time) {
	if d.handler != nil {
		d.heard(d.handler.latest())
	}
	if d.instance == nil {
		return
	}
	if w != nil && w.GUID == d.Work.GUID {
		// Policies change without a restart.
		d.vitals.healthyFor = w.HealthyFor.D()
	}
	d.vitals.look(now)
	d.overslept = d.overslept || !d.stopping && d.vitals.overslept(now)
	if !d.probing && !now.Before(d.probeAt) {
		d.probe()
	}
}

// due is when time alone may change something.
func (d *driver) due() time.Time {
	if d.instance == nil || d.stopping {
		return time.Time{}
	}
	var due time.Time
	if !d.overslept {
		due = d.vitals.due()
	}
	if !d.probing {
		due = sooner(due, d.probeAt)
	}
	return due
}

// probe checks the process's health, in the background.
func (d *driver) probe() {
	d.probing = true
	instance, ctx := d.instance, d.alive
	check := health.Probe{Check: d.Work.Spec.Health, Address: d.firstPort(), In: instance}
	go func() {
		err := check.Run(ctx)
		d.post(func() {
			if d.instance != instance {
				return
			}
			d.probing = false
			now := time.Now()
			d.vitals.probed(err, now)
			d.probeAt = now.Add(d.vitals.pause)
		})
	}()
}

// publish hands the agent what to report, if it has changed.
func (d *driver) publish(w *want, c conditions, now time.Time) {
	report := model.ActualInstance{
		AppGUID: d.key.App, Index: d.key.Index, CellID: d.agent.cfg.Cell.ID,
		GUID: d.Work.GUID, SpecVersion: d.Work.SpecVersion, StartedAfter: d.StartedAfter,
		Restarts: d.Restarts, LastExit: d.LastExit, Output: d.Output, Error: d.problem,
		Disruption: d.clone().Disruption,
	}
	if task := report.Disruption; task != nil && d.problem != "" && (task.State == model.TaskAsked || task.State == model.TaskStopping) {
		task.Error = d.problem // what keeps it from stopping
	}
	if report.GUID == "" && w != nil {
		report.GUID, report.SpecVersion = w.GUID, w.SpecVersion
	}
	report.State = d.stateOf(w, c)
	if d.instance != nil {
		report.PID = d.instance.PID()
		if d.vitals.problem != nil && report.Error == "" {
			report.Error = d.vitals.problem.Error()
		}
	} else if c.Fenced && d.Floats {
		report.Error = "stopped because the control plane was not reached for too long"
	}
	if report.State != d.state {
		d.state, d.since = report.State, now
	}
	report.Since = d.since
	d.agent.publish(d.key, report)
}

// stateOf names the instance's state. Only what is known to be well counts as
// serving: a process that is being stopped does not.
func (d *driver) stateOf(w *want, c conditions) model.InstanceState {
	wanted := w != nil && (w.Run || w.Task != nil) && !c.Leaving
	yielded := d.Disruption != nil && d.Disruption.State == model.TaskYielded && w != nil && w.Task != nil
	switch {
	case d.instance != nil && d.stopping:
		return model.Failing
	case d.instance != nil:
		return d.vitals.state
	case yielded || c.Leaving:
		return model.Stopped
	case d.problem != "" && wanted:
		return model.Blocked
	case d.Crashed && (wanted || w == nil): // otherwise no restart is due
		return model.Crashed
	case wanted && (!c.Fenced || !w.Floats):
		return model.Starting
	}
	return model.Stopped
}

// quieter reports whether two reports differ in the progress of a handler
// alone, which need not be told at once.
func quieter(a, b model.ActualInstance) bool {
	if a.Disruption == nil || b.Disruption == nil {
		return false
	}
	da, db := *a.Disruption, *b.Disruption
	for _, d := range []*model.ActualDisruption{&da, &db} {
		d.Progress, d.Message, d.ProgressAt, d.Output = 0, "", time.Time{}, nil
	}
	a.Disruption, b.Disruption = &da, &db
	return reflect.DeepEqual(a, b)
}
