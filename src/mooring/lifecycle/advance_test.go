package lifecycle_test

import (
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"mooring/lifecycle"
	"mooring/model"
)

// scene is everything that Advance looks at for one permit.
type scene struct {
	permit  model.Permit
	inst    *model.Instance
	actuals []*model.ActualInstance
	gone    map[string]bool
}

func (s *scene) look() model.Step {
	return lifecycle.Advance(s.permit, s.inst, s.actuals, func(cell string) bool { return !s.gone[cell] })
}

// newScene is instance 0 on cell a, serving version 1, with a permit just
// granted.
func newScene() *scene {
	return &scene{
		permit: model.Permit{ID: "p1", CellID: "a", Kind: model.Interrupt, Step: model.StepGranted, Want: model.WantOut},
		inst:   &model.Instance{Placement: model.Placement{CellID: "a", GUID: "g1"}, SpecVersion: 1},
		actuals: []*model.ActualInstance{
			{CellID: "a", GUID: "g1", State: model.Serving, SpecVersion: 1},
		},
		gone: map[string]bool{},
	}
}

// reports replaces what the instance's own cell says.
func (s *scene) reports(state model.InstanceState, task model.DisruptionState) {
	actual := &model.ActualInstance{CellID: s.inst.CellID, GUID: s.inst.GUID, State: state, SpecVersion: s.inst.SpecVersion}
	if task != "" {
		actual.Disruption = &model.ActualDisruption{PermitID: s.permit.ID, State: task}
	}
	s.actuals = []*model.ActualInstance{actual}
}

func TestAdvanceFollowsADisruption(t *testing.T) {
	g := NewWithT(t)
	s := newScene()
	expect := func(step model.Step, why string) {
		t.Helper()
		s.permit.Step = s.look()
		g.Expect(s.permit.Step).To(Equal(step), why)
	}
	expect(model.StepGranted, "the cell has not seen it")
	s.reports(model.Serving, model.TaskAsked)
	expect(model.StepAsked, "the cell has seen it")
	s.reports(model.Serving, model.TaskRunning)
	expect(model.StepRunning, "the handler works")
	s.reports(model.Serving, model.TaskStopping)
	expect(model.StepRunning, "TERM was sent; the process may still run")
	s.reports(model.Stopped, model.TaskYielded)
	expect(model.StepYielded, "the process stopped and its volumes are detached")
	s.gone["a"] = true
	expect(model.StepAway, "the host is acted on")
	s.gone["a"], s.actuals = false, nil
	expect(model.StepAway, "the cell is back, and says nothing yet")
	s.permit.Want = model.WantBack
	s.reports(model.Starting, "")
	expect(model.StepBack, "a process runs")
	s.reports(model.Soaking, "")
	expect(model.StepSoaking, "healthy, not for long enough")
	s.reports(model.Failing, "")
	expect(model.StepSoaking, "a step never goes back")
	s.reports(model.Serving, "")
	expect(model.StepReleased, "it serves")
}

func TestAdvanceReadsTheEvidence(t *testing.T) {
	move := func(s *scene) {
		s.inst = &model.Instance{Placement: model.Placement{CellID: "b", GUID: "g2"}, SpecVersion: 1}
	}
	for _, row := range []struct {
		name   string
		change func(s *scene)
		want   model.Step
	}{
		{"a report on another permit", func(s *scene) {
			s.reports(model.Stopped, model.TaskYielded)
			s.actuals[0].Disruption.PermitID = "p0"
		}, model.StepGranted},
		{"a hung handler still runs", func(s *scene) { s.reports(model.Serving, model.TaskHung) }, model.StepRunning},
		{"an overdue handler has not yielded", func(s *scene) { s.reports(model.Serving, model.TaskOverdue) }, model.StepRunning},
		{"a failed handler has not yielded", func(s *scene) { s.reports(model.Serving, model.TaskFailed) }, model.StepRunning},
		{"a cell that went without leave has not yielded", func(s *scene) { s.gone["a"] = true }, model.StepGranted},
		{"a cell that went, answered for by force", func(s *scene) { s.gone["a"] = true; s.permit.Force = true }, model.StepAway},
		{"placed nowhere", func(s *scene) { s.permit.CellID, s.inst.CellID, s.actuals = "", "", nil; s.gone[""] = true }, model.StepAway},
		{"yielded, wanted back on the same cell, not started yet", func(s *scene) {
			s.permit.Want = model.WantBack
			s.reports(model.Stopped, model.TaskYielded)
		}, model.StepYielded},
		{"yielded and placed elsewhere", func(s *scene) { s.reports(model.Stopped, model.TaskYielded); move(s) }, model.StepAway},
		{"placed elsewhere and starting there", func(s *scene) { move(s); s.reports(model.Starting, "") }, model.StepBack},
		{"placed elsewhere and serving there", func(s *scene) { move(s); s.reports(model.Serving, "") }, model.StepReleased},
		{"placed elsewhere, while the old cell still shows it", func(s *scene) { move(s) }, model.StepAway},
		{"serving an older version than desired", func(s *scene) {
			s.permit.Step, s.permit.Want, s.inst.SpecVersion = model.StepYielded, model.WantBack, 2
		}, model.StepBack},
		{"serving as an instance placed earlier", func(s *scene) {
			s.permit.Step, s.permit.Want, s.inst.GUID = model.StepYielded, model.WantBack, "g9"
		}, model.StepYielded},
		{"serving, last heard of before its cell went", func(s *scene) {
			s.permit.Step, s.permit.Want, s.gone["a"] = model.StepYielded, model.WantBack, true
		}, model.StepYielded},
		{"serving where it was before, while it is still wanted out", func(s *scene) { s.permit.Step = model.StepYielded }, model.StepYielded},
		{"cancelled before the cell knew", func(s *scene) { s.permit.Want = model.WantBack }, model.StepReleased},
		{"cancelled, and the cell has stopped the handler", func(s *scene) {
			s.permit.Step, s.permit.Want = model.StepRunning, model.WantBack
			s.reports(model.Serving, model.TaskCancelled)
		}, model.StepReleased},
		{"cancelled, and the handler still runs", func(s *scene) {
			s.permit.Want = model.WantBack
			s.reports(model.Serving, model.TaskRunning)
		}, model.StepRunning},
		{"removed for good", func(s *scene) { s.inst = nil }, model.StepReleased},
		{"serving while it is being removed", func(s *scene) {
			s.permit.Step, s.permit.Want, s.inst.Removing = model.StepYielded, model.WantBack, true
		}, model.StepBack},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := NewWithT(t)
			s := newScene()
			row.change(s)
			g.Expect(s.look()).To(Equal(row.want))
		})
	}
}

// Whatever cells say, in whatever order, a step never goes back; and once the
// world becomes well again, the permit is given back.
func TestAdvanceNeverGoesBackAndAlwaysEnds(t *testing.T) {
	states := []model.InstanceState{model.Starting, model.Soaking, model.Serving, model.Failing, model.Crashed, model.Stopped, model.Blocked}
	tasks := []model.DisruptionState{"", model.TaskAsked, model.TaskRunning, model.TaskHung, model.TaskOverdue, model.TaskFailed, model.TaskStopping, model.TaskYielded, model.TaskCancelled}
	cells := []string{"", "a", "b"}
	rank := func(step model.Step) int { return slices.Index(model.Steps, step) }

	rapid.Check(t, func(t *rapid.T) {
		s := newScene()
		s.permit.Force = rapid.Bool().Draw(t, "force")
		for range rapid.IntRange(0, 12).Draw(t, "changes") {
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				s.inst.CellID = rapid.SampledFrom(cells).Draw(t, "cell")
			case 1:
				s.gone[rapid.SampledFrom(cells).Draw(t, "gone")] = rapid.Bool().Draw(t, "is")
			case 2:
				s.permit.Want = model.WantBack
			case 3:
				s.reports(rapid.SampledFrom(states).Draw(t, "state"), rapid.SampledFrom(tasks).Draw(t, "task"))
			case 4:
				s.inst.SpecVersion++
			}
			step := s.look()
			if rank(step) < rank(s.permit.Step) {
				t.Fatalf("went back from %s to %s", s.permit.Step, step)
			}
			s.permit.Step = step
			if again := s.look(); again != step {
				t.Fatalf("the same evidence gave %s, then %s", step, again)
			}
		}
		s.gone, s.permit.Want, s.inst.CellID = nil, model.WantBack, "b"
		s.reports(model.Serving, "")
		if step := s.look(); step != model.StepReleased {
			t.Fatalf("it serves where it is wanted, and its permit stays at %s", step)
		}
	})
}
