package cell

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"mooring/model"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// wanted is an instance that is to run, changed as a case needs it.
func wanted(change ...func(*want)) *want {
	w := &want{InstanceWork: model.InstanceWork{AppGUID: "app", GUID: "guid-1", SpecVersion: 1, Run: true}}
	for _, f := range change {
		f(w)
	}
	return w
}

// out is a wanted instance whose permit wants it out.
func out(kind model.Kind, change ...func(*want)) *want {
	w := wanted(change...)
	w.Run = false
	w.Task = &model.Task{PermitID: "permit-1", Kind: kind, Handler: &model.Handler{Command: "bin/handler"}}
	return w
}

func forced(w *want) *want    { w.Task.Force = true; return w }
func unhandled(w *want) *want { w.Task.Handler = nil; return w }
func floats(w *want)          { w.Floats = true }

// up is an instance that runs as wanted.
func up(change ...func(*facts)) facts {
	f := facts{Up: true, GUID: "guid-1", SpecVersion: 1, Attached: true}
	for _, c := range change {
		c(&f)
	}
	return f
}

// down is one whose process has ended.
func down(change ...func(*facts)) facts {
	return up(append(change, func(f *facts) { f.Up = false })...)
}

func task(state model.DisruptionState) func(*facts) {
	return func(f *facts) { f.Permit, f.Task = "permit-1", state }
}
func undo(f *facts)         { f.Undo = true }
func undoing(f *facts)      { f.Undo, f.Handling, f.Undoing = true, true, true }
func detached(f *facts)     { f.Attached = false }
func atWork(f *facts)       { f.Handling = true }
func floating(f *facts)     { f.Floats = true }
func blockedUntil(f *facts) { f.NextTry = noon.Add(time.Second) }

func TestDecide(t *testing.T) {
	known := conditions{Known: true}
	fenced := conditions{Known: true, Fenced: true}
	leaving := conditions{Known: true, Leaving: true}
	for _, c := range []struct {
		name string
		w    *want
		f    facts
		c    conditions
		want step
	}{
		{"a new instance is started", wanted(), facts{}, known, start},
		{"a running one is left alone", wanted(), up(), known, rest},
		{"a crashed one is started again", wanted(), down(), known, start},
		{"but not before its time", wanted(), down(blockedUntil), known, rest},
		{"unless there is a new version", wanted(func(w *want) { w.SpecVersion = 2 }), down(blockedUntil), known, start},
		{"a running one of an old version is stopped", wanted(func(w *want) { w.SpecVersion = 2 }), up(), known, stop},
		{"one that is to be down is stopped", wanted(func(w *want) { w.Run = false }), up(), known, stop},
		{"and then gives its volumes up", wanted(func(w *want) { w.Run = false }), down(), known, detach},
		{"and then stays down", wanted(func(w *want) { w.Run = false }), down(detached), known, rest},
		{"one that is not wanted is stopped", nil, up(), known, stop},
		{"its handler first", nil, up(task(model.TaskRunning), atWork), known, cancelHandler},
		{"then detached", nil, down(), known, detach},
		{"then forgotten", nil, down(detached), known, forget},
		{"another instance of the index ends first", wanted(func(w *want) { w.GUID = "guid-2" }), up(), known, stop},
		{"and gives its volumes up", wanted(func(w *want) { w.GUID = "guid-2" }), down(), known, detach},
		{"and makes room", wanted(func(w *want) { w.GUID = "guid-2" }), down(detached), known, renew},
		{"nothing is done while something is under way", nil, up(func(f *facts) { f.Busy = true }), known, rest},
		{"nor while it stops", nil, up(func(f *facts) { f.Stopping = true }), known, rest},
		{"one that never got healthy is killed", wanted(), up(func(f *facts) { f.Overslept = true }), known, oversleep},

		{"before any work, what runs goes on", nil, up(), conditions{}, rest},
		{"and what ended stays down", nil, down(), conditions{}, rest},

		{"fenced: what floats is killed", wanted(floats), up(floating), fenced, kill},
		{"fenced: also when it is stopping", wanted(floats), up(floating, func(f *facts) { f.Stopping = true }), fenced, kill},
		{"fenced: also before any work", nil, up(floating), conditions{Fenced: true}, kill},
		{"fenced: its volumes are given up", wanted(floats), down(floating), fenced, detach},
		{"fenced: it is not started", wanted(floats), down(floating, detached), fenced, rest},
		{"fenced: nor begun", wanted(floats), facts{}, fenced, rest},
		{"fenced: what is fixed goes on", wanted(), up(), fenced, rest},
		{"fenced: and is restarted", wanted(), down(), fenced, start},

		{"leaving: everything is stopped", wanted(), up(), leaving, stop},
		{"leaving: handlers are ended first", out(model.Drain), up(task(model.TaskRunning), atWork), leaving, cancelHandler},
		{"leaving: volumes are given up", wanted(), down(), leaving, detach},
		{"leaving: that is all", wanted(), down(detached), leaving, leave},
		{"leaving: volumes stay attached when nobody can detach them", wanted(), down(func(f *facts) { f.Away = true }), leaving, leave},
		{"leaving: but what runs is stopped", wanted(), up(func(f *facts) { f.Away = true }), leaving, stop},
		{"a volume manager that is away is waited for", nil, down(func(f *facts) { f.Away = true }), known, detach},
		{"leaving: a failed detach is tried again later", wanted(), down(blockedUntil), leaving, rest},

		{"a task is taken on", out(model.Interrupt), up(), known, acceptTask},
		{"then the handler runs", out(model.Interrupt), up(task(model.TaskAsked)), known, runHandler},
		{"and is waited for", out(model.Interrupt), up(task(model.TaskRunning), atWork), known, rest},
		{"after a crash of the agent it runs again", out(model.Interrupt), up(task(model.TaskRunning)), known, runHandler},
		{"when it is done the instance is stopped", out(model.Drain), up(task(model.TaskStopping)), known, stopForTask},
		{"then its volumes given up", out(model.Drain), down(task(model.TaskStopping)), known, detach},
		{"then it has yielded", out(model.Drain), down(task(model.TaskStopping), detached), known, yield},
		{"and stays down", out(model.Drain), down(task(model.TaskYielded), detached), known, rest},
		{"until it is wanted again", wanted(), down(task(model.TaskYielded), detached), known, start},
		{"without a handler it is stopped", unhandled(out(model.Interrupt)), up(task(model.TaskAsked)), known, stopForTask},
		{"forced, it is stopped", forced(out(model.Drain)), up(task(model.TaskAsked)), known, stopForTask},
		{"forced, a handler at work is ended", forced(out(model.Drain)), up(task(model.TaskRunning), atWork), known, cancelHandler},
		{"an interrupt of a process that is down yields", out(model.Interrupt), down(task(model.TaskAsked), detached), known, yield},
		{"once its volumes are given up", out(model.Interrupt), down(task(model.TaskAsked)), known, detach},
		{"an interrupt whose process dies meanwhile", out(model.Interrupt), down(task(model.TaskRunning), atWork), known, cancelHandler},
		{"yields too", out(model.Interrupt), down(task(model.TaskRunning), detached), known, yield},
		{"a drain of a process that is down fails", out(model.Drain), down(task(model.TaskAsked)), known, failTask},
		{"a drain whose process dies meanwhile fails", out(model.Drain), down(task(model.TaskRunning)), known, failTask},
		{"and its process is started again", out(model.Drain), down(task(model.TaskFailed)), known, start},
		{"unless forced", forced(out(model.Drain)), down(task(model.TaskFailed), detached), known, yield},
		{"or its data may be lost", unhandled(out(model.Drain)), down(task(model.TaskAsked), detached), known, yield},
		{"a hung handler leaves the instance running", out(model.Drain), up(task(model.TaskHung)), known, rest},
		{"an interrupt that hung yields when its process dies", out(model.Interrupt), down(task(model.TaskHung), detached), known, yield},
		{"a withdrawn task ends its handler", wanted(), up(task(model.TaskRunning), atWork), known, cancelHandler},
		{"and is waited for while it ends", wanted(), up(task(model.TaskRunning), atWork, func(f *facts) { f.Ending = true }), known, rest},
		{"and is cancelled", wanted(), up(task(model.TaskRunning)), known, cancelTask},
		{"whatever had become of it", wanted(), up(task(model.TaskOverdue)), known, cancelTask},
		{"what its handler has done is taken back before", wanted(), up(task(model.TaskRunning), undo), known, runCancel},
		{"once it has ended", wanted(), up(task(model.TaskRunning), undo, atWork), known, cancelHandler},
		{"and that is waited for", wanted(), up(task(model.TaskRunning), undoing), known, rest},
		{"unless its process is down", wanted(), down(task(model.TaskRunning), undo), known, cancelTask},
		{"a hung handler is taken back", out(model.Interrupt), up(task(model.TaskHung), undo), known, runCancel},
		{"an overdue one too", out(model.Interrupt), up(task(model.TaskOverdue), undo), known, runCancel},
		{"and one that failed", out(model.Interrupt), up(task(model.TaskFailed), undo), known, runCancel},
		{"once it has ended too", out(model.Interrupt), up(task(model.TaskHung), undo, atWork), known, rest},
		{"one that is done is not", out(model.Interrupt), up(task(model.TaskStopping), undo), known, stopForTask},
		{"nor is one that is forced", forced(out(model.Interrupt)), up(task(model.TaskHung), undo), known, stopForTask},
		{"which ends what takes it back", forced(out(model.Interrupt)), up(task(model.TaskHung), undoing), known, cancelHandler},
		{"leaving: what takes back is ended", wanted(), up(task(model.TaskHung), undoing), leaving, cancelHandler},
		{"another permit is taken on after it", out(model.Interrupt), up(undoing, func(f *facts) { f.Permit, f.Task = "permit-0", model.TaskHung }), known, rest},
		{"but a forced one waits for nothing", forced(out(model.Interrupt)), up(undoing, func(f *facts) { f.Permit, f.Task = "permit-0", model.TaskHung }), known, cancelHandler},
		{"and takes nothing back", forced(out(model.Interrupt)), up(undo, func(f *facts) { f.Permit, f.Task = "permit-0", model.TaskHung }), known, cancelTask},
		{"a cancelled one is over", wanted(), up(task(model.TaskCancelled)), known, rest},
		{"a task withdrawn while stopping", wanted(), down(task(model.TaskStopping)), known, cancelTask},
		{"lets the instance start again", wanted(), down(task(model.TaskCancelled)), known, start},
		{"another permit cancels the first", out(model.Drain, func(w *want) {}), up(func(f *facts) { f.Permit, f.Task = "permit-0", model.TaskHung }), known, cancelTask},
		{"and is taken on", out(model.Drain), up(func(f *facts) { f.Permit, f.Task = "permit-0", model.TaskCancelled }), known, acceptTask},
		{"a permit after one that yielded is taken on", out(model.Interrupt), up(func(f *facts) { f.Permit, f.Task = "permit-0", model.TaskYielded }), known, acceptTask},
		{"a cancelled permit that is back is taken on anew", out(model.Drain), up(task(model.TaskCancelled)), known, acceptTask},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, again := decide(c.w, c.f, c.c, noon)
			g := NewWithT(t)
			g.Expect(got.String()).To(Equal(c.want.String()))
			if !again.IsZero() {
				g.Expect(got).To(Equal(rest))
				g.Expect(again).To(BeTemporally(">", noon), "a time that has passed would make the driver spin")
			}
		})
	}
}

// world plays what a driver does, with everything that can happen to it.
type world struct {
	w   *want
	f   facts
	c   conditions
	now time.Time
}

// take takes a step as a driver would, effects included.
func (o *world) take(t *rapid.T, s step) {
	switch s {
	case start:
		if o.f.Up || o.w == nil || (o.f.Attached && o.f.GUID != o.w.GUID) {
			t.Fatalf("start of %v over %+v", o.w, o.f)
		}
		if o.c.Leaving || !o.c.Known || o.c.Fenced && o.w.Floats {
			t.Fatalf("start of %v in %+v", o.w, o.c)
		}
		if o.w.Task == nil && !o.w.Run {
			t.Fatalf("start of what is to be down: %v", o.w)
		}
		o.f = facts{GUID: o.w.GUID, SpecVersion: o.w.SpecVersion, Floats: o.w.Floats, Attached: true, Permit: o.f.Permit, Task: o.f.Task, Busy: true}
		if o.w.Task == nil {
			o.f.Permit, o.f.Task = "", ""
		}
	case stop, stopForTask:
		o.f.Stopping = true
		if s == stopForTask {
			o.f.Task, o.f.Undo = model.TaskStopping, false
		}
	case kill, oversleep:
		o.f.Stopping, o.f.Killing = true, true
	case detach:
		if o.f.Up {
			t.Fatal("detach under a running process")
		}
		o.f.Busy = true
	case acceptTask:
		o.f.Permit, o.f.Task = o.w.Task.PermitID, model.TaskAsked
	case runHandler:
		if !o.f.Up || o.w.Task.Handler == nil || o.w.Task.Force {
			t.Fatalf("handler of %v over %+v", o.w.Task, o.f)
		}
		o.f.Handling, o.f.Task, o.f.Undo = true, model.TaskRunning, o.w.Task.Handler.Cancel != ""
	case runCancel:
		if !o.f.Up || !o.f.Undo || o.f.Handling || o.w == nil || o.w.Task != nil && o.w.Task.Force {
			t.Fatalf("cancel command of %v over %+v", o.w, o.f)
		}
		o.f.Handling, o.f.Undoing = true, true
	case cancelHandler:
		o.f.Ending = true
	case cancelTask:
		if o.f.Task == model.TaskYielded {
			t.Fatal("a yield was taken back")
		}
		o.f.Task = model.TaskCancelled
	case yield:
		if o.f.Up || o.f.Attached || o.f.Handling {
			t.Fatalf("yield over %+v", o.f)
		}
		if o.w.Task.Kind == model.Drain && o.w.Task.Handler != nil && !o.w.Task.Force && o.f.Task != model.TaskStopping {
			t.Fatalf("drain yielded though its handler was not done: %+v", o.f)
		}
		o.f.Task = model.TaskYielded
	case failTask:
		o.f.Task = model.TaskFailed
	case renew:
		if o.f.Up || o.f.Attached {
			t.Fatalf("renew over %+v", o.f)
		}
		o.f = facts{}
	case forget, leave:
		if o.f.Up || o.f.Attached || o.f.Handling {
			t.Fatalf("%s over %+v", s, o.f)
		}
		o.f = facts{}
	}
}

// happen lets one thing happen that is not the driver's doing.
func (o *world) happen(t *rapid.T) {
	switch rapid.SampledFrom([]string{"done", "crash", "work", "work", "conditions", "verdict", "time", "oversleep"}).Draw(t, "event") {
	case "done": // what is under way ends
		switch {
		case o.f.Busy && o.f.Up:
			t.Fatal("busy with a running process")
		case o.f.Busy:
			o.f.Busy = false
			if rapid.Bool().Draw(t, "fails") {
				o.f.NextTry = o.now.Add(time.Second)
			} else if rapid.Bool().Draw(t, "was a start") {
				o.f.Up = o.f.Attached
			} else {
				o.f.Attached = false
			}
		case o.f.Stopping:
			o.f.Up, o.f.Stopping, o.f.Killing, o.f.Overslept = false, false, false, false
		case o.f.Ending:
			o.f.Undo = o.f.Undo && !o.f.Undoing
			o.f.Handling, o.f.Ending, o.f.Undoing = false, false, false
		case o.f.Undoing:
			o.f.Handling, o.f.Undoing, o.f.Undo = false, false, false
		}
	case "crash":
		if o.f.Up {
			o.f.Up, o.f.Stopping, o.f.Killing, o.f.Overslept = false, false, false, false
			o.f.NextTry = o.now.Add(time.Second)
		}
	case "work":
		o.w = genWant(t)
	case "conditions":
		o.c.Known = o.c.Known || rapid.Bool().Draw(t, "known")
		o.c.Fenced = rapid.Bool().Draw(t, "fenced")
		o.c.Leaving = rapid.IntRange(0, 9).Draw(t, "leaving") == 0
	case "verdict":
		if o.f.Handling && !o.f.Undoing {
			o.f.Task = rapid.SampledFrom([]model.DisruptionState{model.TaskHung, model.TaskOverdue, model.TaskFailed, model.TaskStopping}).Draw(t, "verdict")
			if o.f.Task == model.TaskStopping || rapid.Bool().Draw(t, "gone") {
				o.f.Handling, o.f.Ending = false, false
			}
		}
	case "time":
		o.now = o.now.Add(time.Minute)
	case "oversleep":
		o.f.Overslept = o.f.Up && !o.f.Stopping
	}
}

func genWant(t *rapid.T) *want {
	if rapid.IntRange(0, 4).Draw(t, "gone") == 0 {
		return nil
	}
	w := wanted()
	w.GUID = rapid.SampledFrom([]string{"guid-1", "guid-1", "guid-2"}).Draw(t, "guid")
	w.SpecVersion = rapid.IntRange(1, 2).Draw(t, "version")
	w.Run = rapid.Bool().Draw(t, "run")
	w.Floats = rapid.Bool().Draw(t, "floats")
	if rapid.Bool().Draw(t, "task") {
		w.Run = false
		w.Task = &model.Task{
			PermitID: fmt.Sprint("permit-", rapid.IntRange(1, 2).Draw(t, "permit")),
			Kind:     rapid.SampledFrom([]model.Kind{model.Interrupt, model.Drain}).Draw(t, "kind"),
			Force:    rapid.IntRange(0, 4).Draw(t, "force") == 0,
		}
		if rapid.Bool().Draw(t, "handler") {
			w.Task.Handler = &model.Handler{Command: "bin/handler", Cancel: rapid.SampledFrom([]string{"", "bin/cancel"}).Draw(t, "cancel")}
		}
	}
	return w
}

// Whatever happens in whatever order, no step is taken over what still runs or
// is attached, and the steps come to rest.
func TestDecideIsSafeAndSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &world{now: noon}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			o.happen(t)
			settled := false
			for range 20 {
				s, again := decide(o.w, o.f, o.c, o.now)
				if s == rest || s == leave || s == forget {
					if s != rest {
						o.take(t, s)
					}
					if !again.IsZero() && !again.After(o.now) {
						t.Fatalf("asked to be asked again in the past")
					}
					settled = true
					break
				}
				o.take(t, s)
			}
			if !settled {
				t.Fatalf("does not settle: %v %+v %+v", o.w, o.f, o.c)
			}
		}
	})
}
