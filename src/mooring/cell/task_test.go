package cell_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"mooring/model"
)

func command(text string) *model.Handler {
	return &model.Handler{Command: text, Timeout: model.Duration(time.Minute), ProgressTimeout: model.Duration(time.Minute)}
}

func TestInterruptRunsItsHandlerThenStopsAndDetaches(t *testing.T) {
	b := newBench(t)
	b.start()
	w := instance(0, `trap 'echo stopped >> order; exit 0' TERM; touch ready; `+sleepLoop, ready, b.mounted("volume-1", "persistent"))
	b.control.give(w)
	pid := b.serving(0)
	out := wantOut(w, model.Interrupt, command(`env > told; echo handled >> order; echo '{"progress": 0.5, "message": "half"}'; echo said; while ! test -e go; do sleep 0.01; done`))
	out.Task.ExpectedBack = model.Duration(90 * time.Second)
	b.control.give(out)

	b.Eventually(func() float64 {
		if d := b.control.last(0).Disruption; d != nil {
			return d.Progress
		}
		return 0
	}, patience).Should(Equal(0.5))
	d := b.control.last(0).Disruption
	b.Expect(d.PermitID).To(Equal("permit-1"))
	b.Expect(d.State).To(Equal(model.TaskRunning))
	b.Expect(d.Message).To(Equal("half"))
	b.Expect(b.state(0)()).To(Equal(model.Serving), "it serves while its handler works")
	b.Expect(running(pid)).To(BeTrue())
	b.Expect(os.WriteFile(filepath.Join(b.root(0), "go"), nil, 0o600)).To(Succeed())

	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskYielded))
	b.Expect(running(pid)).To(BeFalse())
	b.Expect(b.volumes.history()).To(Equal([]string{"attach volume-1", "detach volume-1"}))
	b.Expect(b.state(0)()).To(Equal(model.Stopped))
	order, err := os.ReadFile(filepath.Join(b.root(0), "order"))
	b.Expect(err).NotTo(HaveOccurred())
	b.Expect(string(order)).To(Equal("handled\nstopped\n"))
	told, err := os.ReadFile(filepath.Join(b.root(0), "told"))
	b.Expect(err).NotTo(HaveOccurred())
	b.Expect(string(told)).To(And(ContainSubstring("MOORING_KIND=interrupt\n"), ContainSubstring("MOORING_ACTION=recreate\n"),
		ContainSubstring("MOORING_EXPECTED_BACK_S=90\n"), ContainSubstring("CF_INSTANCE_INDEX=0\n")))
	log, err := os.ReadFile(filepath.Join(b.run(), "instances", "guid-0", "log"))
	b.Expect(err).NotTo(HaveOccurred())
	b.Expect(string(log)).To(ContainSubstring("[interrupt] said\n"))

	// It is wanted back.
	b.control.give(w)
	b.serving(0)
	b.Expect(b.control.last(0).StartedAfter).To(Equal(model.AfterInterrupt))
	b.Expect(b.control.last(0).Disruption).To(BeNil())
	b.Expect(b.control.last(0).Restarts).To(BeZero())
}

const sleepLoop = "while :; do sleep 0.02; done"

func TestInterruptWithoutHandlerIsTERM(t *testing.T) {
	b := newBench(t)
	b.start()
	w := instance(0, "trap 'exit 0' TERM; touch ready; "+sleepLoop, ready)
	b.control.give(w)
	pid := b.serving(0)
	b.control.give(wantOut(w, model.Interrupt, nil))
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskYielded))
	b.Expect(running(pid)).To(BeFalse())
	b.Expect(b.control.last(0).LastExit).To(Equal("exit status 0"))
}

func TestWhatKeepsAnInstanceFromStoppingIsReported(t *testing.T) {
	b := newBench(t)
	b.start()
	busy := func(is bool) {
		b.volumes.mu.Lock()
		defer b.volumes.mu.Unlock()
		b.volumes.busy = is
	}
	w := instance(0, "touch ready; "+sleepLoop, ready, b.mounted("volume-1", "persistent"))
	b.control.give(w)
	b.serving(0)
	busy(true)
	b.control.give(wantOut(w, model.Interrupt, nil))
	b.Eventually(func() string {
		if d := b.control.last(0).Disruption; d != nil && d.State == model.TaskStopping {
			return d.Error
		}
		return ""
	}, patience).Should(ContainSubstring("the device is busy"))
	b.Expect(b.control.last(0).Disruption.Grace).To(Equal(model.Duration(5*time.Second)), "what its process had to stop")
	busy(false)
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskYielded))
	b.Expect(b.control.last(0).Disruption.Error).To(BeEmpty())
}

func TestHungHandlerIsFlaggedAndTheInstanceGoesOn(t *testing.T) {
	b := newBench(t)
	b.start()
	w := instance(0, sleeping)
	b.control.give(w)
	pid := b.serving(0)
	hung := command(`echo $$ > handler.pid; echo waiting for a replica; while :; do echo '{"progress": 0.25}'; sleep 0.05; done`)
	hung.ProgressTimeout = model.Duration(300 * time.Millisecond)
	b.control.give(wantOut(w, model.Drain, hung))
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskHung))
	d := b.control.last(0).Disruption
	b.Expect(d.Progress).To(Equal(0.25))
	b.Expect(d.Output).To(Equal([]string{"waiting for a replica"}))
	b.Expect(d.FlaggedAt).NotTo(BeZero())
	b.Expect(d.FlaggedAt.Sub(d.ProgressAt)).To(BeNumerically("~", 300*time.Millisecond, 200*time.Millisecond))
	b.gone(b.number(filepath.Join(b.root(0), "handler.pid")))
	b.Expect(b.serving(0)).To(Equal(pid))

	// A person answers "force": a new permit without a handler.
	forced := wantOut(w, model.Drain, hung)
	forced.Task.PermitID, forced.Task.Force = "permit-2", true
	b.control.give(forced)
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskYielded))
	b.gone(pid)
}

func TestWithdrawnTaskEndsItsHandlerAndTheInstanceGoesOn(t *testing.T) {
	b := newBench(t)
	b.start()
	w := instance(0, sleeping)
	b.control.give(w)
	pid := b.serving(0)
	b.control.give(wantOut(w, model.Drain, command(`echo $$ > handler.pid; sleep 1000`)))
	handler := b.number(filepath.Join(b.root(0), "handler.pid"))
	b.control.give(w)
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskCancelled))
	b.gone(handler)
	b.Expect(b.serving(0)).To(Equal(pid))
	b.Expect(b.control.last(0).Disruption.FlaggedAt).To(BeZero())
}

// steppingDown is a handler that steps a primary down and then does as it is
// told, with a command that takes that back.
func steppingDown(then, cancel string) *model.Handler {
	h := command(`touch stepped-down; ` + then)
	h.Cancel = cancel
	return h
}

const stepUp = `test "$MOORING_KIND" = interrupt; rm stepped-down; echo up again >> taken-back`

func TestHandlerThatHung_IsTakenBackByItsCancelCommand(t *testing.T) {
	b := newBench(t)
	b.start()
	w := instance(0, sleeping)
	b.control.give(w)
	pid := b.serving(0)
	down, back := filepath.Join(b.root(0), "stepped-down"), filepath.Join(b.root(0), "taken-back")
	hung := steppingDown("sleep 1000", stepUp)
	hung.ProgressTimeout = model.Duration(300 * time.Millisecond)
	b.control.give(wantOut(w, model.Interrupt, hung))
	b.Eventually(func() model.CancelState { return cancelOf(b, 0) }, patience).Should(Equal(model.CancelDone))
	b.Expect(b.control.last(0).Disruption.State).To(Equal(model.TaskHung), "somebody has to answer all the same")
	b.Expect(down).NotTo(BeAnExistingFile())
	b.Expect(b.serving(0)).To(Equal(pid))

	// What was taken back once is not when the permit goes.
	b.control.give(w)
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskCancelled))
	b.Expect(os.ReadFile(back)).To(BeEquivalentTo("up again\n"))
}

func TestHandlerWhosePermitIsTakenBack_IsTakenBackToo(t *testing.T) {
	b := newBench(t)
	b.start()
	w := instance(0, sleeping)
	b.control.give(w)
	pid := b.serving(0)
	down := filepath.Join(b.root(0), "stepped-down")
	b.control.give(wantOut(w, model.Interrupt, steppingDown("sleep 1000", stepUp)))
	b.Eventually(down, patience).Should(BeAnExistingFile())
	b.control.give(w)
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskCancelled))
	b.Expect(cancelOf(b, 0)).To(Equal(model.CancelDone))
	b.Expect(down).NotTo(BeAnExistingFile())
	b.Expect(b.serving(0)).To(Equal(pid))
}

func TestHandlerThatFailed_ItsCancelCommandMayFailToo(t *testing.T) {
	b := newBench(t)
	b.start()
	w := instance(0, sleeping)
	b.control.give(w)
	b.serving(0)
	failing := steppingDown("exit 3", "exit 4")
	failing.Timeout = model.Duration(5 * time.Second)
	b.control.give(wantOut(w, model.Interrupt, failing))
	b.Eventually(func() model.CancelState { return cancelOf(b, 0) }, patience).Should(Equal(model.CancelFailed))
	b.Expect(b.control.last(0).Disruption).To(HaveField("CancelError", ContainSubstring("4")))
	b.Expect(b.disruption(0)()).To(Equal(model.TaskFailed))
}

func TestHandlerThatIsDone_IsNotTakenBack(t *testing.T) {
	b := newBench(t)
	b.start()
	w := instance(0, sleeping)
	b.control.give(w)
	b.serving(0)
	b.control.give(wantOut(w, model.Interrupt, steppingDown("true", stepUp)))
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskYielded))
	b.Expect(cancelOf(b, 0)).To(BeEmpty())
	b.control.give(w)
	b.serving(0)
	b.Expect(filepath.Join(b.root(0), "taken-back")).NotTo(BeAnExistingFile())
}

func TestTaskOfAProcessThatIsDown(t *testing.T) {
	crashing := "exit 1"
	for name, c := range map[string]struct {
		kind  model.Kind
		force bool
		want  model.DisruptionState
	}{
		"an interrupt yields at once":  {model.Interrupt, false, model.TaskYielded},
		"a drain fails with the cause": {model.Drain, false, model.TaskFailed},
		"a forced drain yields":        {model.Drain, true, model.TaskYielded},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.start()
			w := instance(0, crashing)
			b.control.give(w)
			b.Eventually(func() model.InstanceState {
				if last := b.control.last(0); last.Restarts == 1 {
					return last.State
				}
				return ""
			}, patience).Should(Equal(model.Crashed)) // the next restart is a while off
			out := wantOut(w, c.kind, command("true"))
			out.Task.Force = c.force
			b.control.give(out)
			b.Eventually(b.disruption(0), patience).Should(Equal(c.want))
			if c.want == model.TaskFailed {
				b.Expect(b.control.last(0).Disruption.Error).To(And(ContainSubstring("nobody can hand its data over"), ContainSubstring("exit status 1")))
			}
		})
	}
}

func TestProcessThatDiesUnderItsInterruptHandlerHasYielded(t *testing.T) {
	b := newBench(t)
	b.start()
	w := instance(0, sleeping)
	b.control.give(w)
	pid := b.serving(0)
	b.control.give(wantOut(w, model.Interrupt, command(`echo $$ > handler.pid; sleep 1000`)))
	handler := b.number(filepath.Join(b.root(0), "handler.pid"))
	b.Expect(unix.Kill(pid, unix.SIGKILL)).To(Succeed())
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskYielded))
	b.gone(handler)
	b.Expect(b.control.last(0).Restarts).To(BeZero())
}

func TestHTTPHandlerOfAnInstance(t *testing.T) {
	b := newBench(t)
	b.start()
	w := instance(0, "exec "+os.Args[0], func(w *model.InstanceWork) {
		w.Spec.Env = map[string]string{serveEnv: "1"}
		w.Spec.Health = model.HealthCheck{Type: model.HealthHTTP, Path: "/health"}
		w.Ports = []int{freePort(t)}
	})
	b.control.give(w)
	b.serving(0)
	b.control.give(wantOut(w, model.Interrupt, &model.Handler{HTTP: "/interrupt"}))
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskYielded))
	d := b.control.last(0).Disruption
	b.Expect(d.Progress).To(Equal(1.0))
	b.Expect(d.Output).To(Equal([]string{"told of an interrupt"}))
}

func TestProgressIsReportedWithoutAFlood(t *testing.T) {
	b := newBench(t)
	b.start()
	w := instance(0, sleeping)
	b.control.give(w)
	b.serving(0)
	before, began := b.control.reported(), time.Now()
	b.control.give(wantOut(w, model.Interrupt, command(`i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "{\"progress\": $i.0e-4}"; done; sleep 0.3`)))
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskYielded))
	b.Expect(b.control.last(0).Disruption.Progress).To(Equal(0.2))
	reports := b.control.reported() - before
	b.Expect(reports).To(BeNumerically("<=", 6+time.Since(began)/(250*time.Millisecond)), "of two thousand lines, four a second at most")
}

// cancelOf is how far the cancel command of an instance's handler has come.
func cancelOf(b *bench, index int) model.CancelState {
	if d := b.control.last(index).Disruption; d != nil {
		return d.Cancel
	}
	return ""
}
