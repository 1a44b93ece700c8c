package lifecycle

import (
	"slices"

	"mooring/model"
)

// Advance gives the step that a permit has reached, from what cells report of
// its index. The step never goes back; it may skip steps that came and went
// between two looks. inst is the index's desired placement, nil when it is
// gone for good; actuals are what any cells report of the index; present says
// whether a cell's agent is known to be alive.
//
// A permit that reaches StepReleased is to be given back. That of an instance
// being removed is given back by whoever removes the instance.
func Advance(p model.Permit, inst *model.Instance, actuals []*model.ActualInstance, present func(cellID string) bool) model.Step {
	if inst == nil {
		return model.StepReleased
	}
	return later(p.Step, observe(p, inst, actuals, present))
}

// observe gives the step that the evidence alone shows; p.Step only says
// whether a yield was seen before.
func observe(p model.Permit, inst *model.Instance, actuals []*model.ActualInstance, present func(string) bool) model.Step {
	moved := inst.CellID != p.CellID
	task := taskOf(p, actuals)
	if !yielded(p, inst, task, present) {
		if p.Want == model.WantBack && (task == "" || task == model.TaskCancelled) && serves(inst, actuals, present) {
			return model.StepReleased // cancelled in time: it never stopped
		}
		switch task {
		case "", model.TaskCancelled:
			return model.StepGranted
		case model.TaskAsked:
			return model.StepAsked
		}
		return model.StepRunning
	}
	if p.Want == model.WantBack || moved {
		if step := comeback(inst, actuals, present); step != "" {
			return step
		}
	}
	if p.Want != model.WantBack && (moved || !present(p.CellID)) {
		return model.StepAway
	}
	return model.StepYielded
}

// yielded reports whether the process is known to have stopped and its volumes
// to be detached.
func yielded(p model.Permit, inst *model.Instance, task model.DisruptionState, present func(string) bool) bool {
	return rank(p.Step) >= rank(model.StepYielded) ||
		task == model.TaskYielded ||
		inst.CellID == "" || inst.CellID != p.CellID || // it is placed there no more
		p.Force && !present(p.CellID) // a person answered for what runs there
}

// comeback gives how far a process on the desired cell has come since the
// yield, "" when there is none.
func comeback(inst *model.Instance, actuals []*model.ActualInstance, present func(string) bool) model.Step {
	if !present(inst.CellID) {
		return ""
	}
	if serves(inst, actuals, present) && !inst.Removing {
		return model.StepReleased
	}
	switch stateOf(inst, actuals) {
	case model.Soaking:
		return model.StepSoaking
	case model.Starting, model.Failing, model.Serving: // serving an older version
		return model.StepBack
	}
	return ""
}

// serves reports whether the instance serves where and as it is desired.
func serves(inst *model.Instance, actuals []*model.ActualInstance, present func(string) bool) bool {
	return present(inst.CellID) && slices.ContainsFunc(actuals, func(a *model.ActualInstance) bool {
		return describes(a, inst) && a.State == model.Serving && a.SpecVersion == inst.SpecVersion
	})
}

func stateOf(inst *model.Instance, actuals []*model.ActualInstance) model.InstanceState {
	for _, a := range actuals {
		if describes(a, inst) {
			return a.State
		}
	}
	return ""
}

// taskOf gives what the permit's cell says of the permit, "" when nothing.
func taskOf(p model.Permit, actuals []*model.ActualInstance) model.DisruptionState {
	for _, a := range actuals {
		if a.CellID == p.CellID && a.Disruption != nil && a.Disruption.PermitID == p.ID {
			return a.Disruption.State
		}
	}
	return ""
}

func rank(step model.Step) int { return slices.Index(model.Steps, step) }

func later(a, b model.Step) model.Step {
	if rank(b) > rank(a) {
		return b
	}
	return a
}
