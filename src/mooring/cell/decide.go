package cell

import (
	"time"

	"mooring/model"
)

// want is what the cell should do about one instance.
type want struct {
	model.InstanceWork
	// Volumes are those of its mounts that are placed on this cell.
	Volumes []model.VolumeWork
	// Floats: the instance may be started on another cell while this one is
	// not heard of, because no volume ties it here.
	Floats bool
}

// conditions are what holds for the whole cell.
type conditions struct {
	// Known is false until this agent has been given work.
	Known bool
	// Fenced: the control plane has not been reached for so long that what
	// floats may run elsewhere.
	Fenced bool
	// Leaving: the agent stops, and everything with it.
	Leaving bool
}

// facts are what is so about one instance, as far as deciding needs it.
type facts struct {
	Up       bool // its process runs
	Busy     bool // an attach and start, or a detach, is under way
	Stopping bool // a stop is under way
	Killing  bool // ... without grace
	Handling bool // something of a handler still runs
	Ending   bool // ... and has been told to end
	Undoing  bool // ... which is its cancel command
	// Undo: what a handler has done is to be taken back if the instance goes on.
	Undo bool
	// GUID and SpecVersion are those of the last start, "" before any.
	GUID        string
	SpecVersion int
	Floats      bool // as want.Floats, of the last start
	Attached    bool // volumes are, or may be, attached
	// Away: the volume manager has not answered for a while, so that they cannot
	// be detached.
	Away bool
	// Overslept: the process did not become healthy in time.
	Overslept bool
	// NextTry is when the next start or detach may be tried.
	NextTry time.Time
	// Permit and Task are of the last task taken on, "" before any.
	Permit string
	Task   model.DisruptionState
}

// step is the next thing to do about an instance.
type step int

const (
	rest          step = iota // nothing, until something changes
	start                     // attach its volumes and start it
	stop                      // TERM, later KILL
	kill                      // KILL
	oversleep                 // KILL, and count it as a crash
	detach                    // give its volumes up
	acceptTask                // take on the task that is wanted
	runHandler                // tell the instance
	cancelHandler             // end what runs of a handler
	runCancel                 // take back what the handler has done
	cancelTask                // the task was withdrawn
	stopForTask               // the handler is done, or there is none: stop
	yield                     // the disruption is through
	failTask                  // a drain of a process that is down
	renew                     // forget the instance that was here before
	forget                    // forget all of it
	leave                     // nothing is left to do before the agent ends
)

var stepNames = [...]string{
	"rest", "start", "stop", "kill", "oversleep", "detach", "accept task", "run handler", "cancel handler",
	"run cancel", "cancel task", "stop for task", "yield", "fail task", "renew", "forget", "leave",
}

func (s step) String() string { return stepNames[s] }

// decide gives the next step for an instance that is wanted so (nil when it is
// not wanted here), and when to ask again though nothing has changed (zero:
// never).
func decide(w *want, f facts, c conditions, now time.Time) (step, time.Time) {
	fenced := c.Fenced && f.Floats
	if fenced && f.Up && !f.Killing {
		return kill, time.Time{}
	}
	if f.Busy || f.Stopping || f.Ending {
		return rest, time.Time{}
	}
	switch {
	case c.Leaving && f.Away && !f.Up && !f.Handling:
		// The volume manager was stopped first. What is attached stays so, and is
		// found again.
		return leave, time.Time{}
	case c.Leaving:
		return wind(f, now, leave)
	case fenced && f.Attached:
		return wind(f, now, rest)
	case f.Up && f.Overslept:
		return oversleep, time.Time{}
	case !c.Known:
		return rest, time.Time{}
	case w == nil:
		return wind(f, now, forget)
	case f.GUID != "" && f.GUID != w.GUID:
		return wind(f, now, renew)
	}
	if s, decided := disrupt(w, f, now); decided {
		if s == rest && now.Before(f.NextTry) {
			return rest, f.NextTry
		}
		return s, time.Time{}
	}
	return keep(w, f, c, now)
}

// wind takes an instance down without more ado, and then does last.
func wind(f facts, now time.Time, last step) (step, time.Time) {
	switch {
	case f.Handling:
		return cancelHandler, time.Time{}
	case f.Up:
		return stop, time.Time{}
	case f.Attached:
		return letGo(f, now)
	}
	return last, time.Time{}
}

// letGo detaches when it may be tried.
func letGo(f facts, now time.Time) (step, time.Time) {
	if now.Before(f.NextTry) {
		return rest, f.NextTry
	}
	return detach, time.Time{}
}

// disrupt carries the wanted task, or the withdrawal of one, a step on. It
// does not decide when the instance is to be kept as if there were none.
func disrupt(w *want, f facts, now time.Time) (step, bool) {
	known := f.Permit != "" && f.Task != model.TaskCancelled
	if w.Task == nil || w.Task.PermitID != f.Permit {
		if known && f.Task != model.TaskYielded {
			forced := w.Task != nil && w.Task.Force // it is stopped as it is
			switch {
			case f.Undoing && !forced:
				return rest, true
			case f.Handling:
				return cancelHandler, true
			case f.Undo && f.Up && !forced:
				return runCancel, true
			}
			return cancelTask, true
		}
		return acceptTask, w.Task != nil
	}
	if !known {
		return acceptTask, true // withdrawn, and wanted again after all
	}
	switch {
	case f.Task == model.TaskYielded:
		return rest, true
	case f.Task == model.TaskStopping:
		return finish(f, now), true
	case !f.Up && (w.Task.Kind == model.Interrupt || w.Task.Force || w.Task.Handler == nil):
		// It is down already, which is all that is asked. A drain without a
		// handler is of data that may be lost.
		return finish(f, now), true
	case f.Up && (w.Task.Force || w.Task.Handler == nil):
		return finish(f, now), true
	}
	switch f.Task {
	case model.TaskAsked, model.TaskRunning:
		switch {
		case !f.Up && f.Handling:
			return cancelHandler, true
		case !f.Up:
			return failTask, true
		case !f.Handling:
			return runHandler, true
		}
		return rest, true
	}
	// Hung, overdue or failed: somebody has to answer, meanwhile the instance
	// goes on, as it was before its handler began.
	if f.Undo && f.Up && !f.Handling {
		return runCancel, true
	}
	return rest, false
}

// finish takes an instance down whose handler has had its say.
func finish(f facts, now time.Time) step {
	switch {
	case f.Handling:
		return cancelHandler
	case f.Up:
		return stopForTask
	case f.Attached:
		s, _ := letGo(f, now)
		return s
	}
	return yield
}

// keep has an instance run, or not, as its work says.
func keep(w *want, f facts, c conditions, now time.Time) (step, time.Time) {
	// A task in the hands of a person leaves the instance running.
	run := w.Run || w.Task != nil
	switch {
	case f.Up && !run:
		return stop, time.Time{}
	case f.Up && w.Task == nil && w.SpecVersion != f.SpecVersion:
		return stop, time.Time{}
	case f.Up:
		return rest, time.Time{}
	case !run && f.Attached:
		return letGo(f, now)
	case !run, c.Fenced && w.Floats:
		return rest, time.Time{}
	case w.SpecVersion == f.SpecVersion && now.Before(f.NextTry):
		return rest, f.NextTry
	}
	return start, time.Time{}
}
