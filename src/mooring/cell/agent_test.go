package cell_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"mooring/cell"
	"mooring/container/process"
	"mooring/model"
)

// patience bounds every wait for something that is bound to happen.
const patience = "20s"

// bench is a cell on a test's bench.
type bench struct {
	*testing.T
	*WithT
	dir     string
	boot    string
	control *control
	volumes *volumes
	ended   chan error // of the agent started last
}

func newBench(t *testing.T) *bench {
	b := &bench{T: t, WithT: NewWithT(t), dir: t.TempDir(), boot: "boot-1", control: newControl()}
	b.volumes = newVolumes(filepath.Join(b.dir, "volumes"))
	t.Cleanup(func() {
		if err := process.KillAll(context.Background(), b.run(), slog.New(slog.DiscardHandler)); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) run() string { return filepath.Join(b.dir, "run") }

func (b *bench) config() cell.Config {
	level := slog.LevelError + 1
	if testing.Verbose() {
		level = slog.LevelDebug
	}
	return cell.Config{
		Cell:   model.Cell{ID: "cell-1", AZ: "z1", Address: "127.0.0.1", Boot: b.boot},
		RunDir: b.run(), Control: b.control, Volumes: b.volumes,
		StopGrace: 5 * time.Second,
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
}

// start runs an agent until the test, or what it returns, stops it.
func (b *bench) start() (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	b.ended = ended
	go func() {
		ended <- cell.New(b.config()).Run(ctx)
		close(ended)
	}()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(time.Minute):
			return fmt.Errorf("the agent does not stop")
		}
	}
	b.Cleanup(func() { stop() })
	return stop
}

// instance is work on an instance that is healthy while it runs.
func instance(index int, command string, change ...func(*model.InstanceWork)) model.InstanceWork {
	w := model.InstanceWork{
		AppGUID: "app-1", App: model.Name{Org: "acme", Space: "prod", Name: "store"},
		Index: index, Instances: 3, GUID: fmt.Sprint("guid-", index), SpecVersion: 1,
		Spec:         model.RunSpec{Command: command, Health: model.HealthCheck{Type: model.HealthProcess}},
		StartedAfter: model.AfterNew, Run: true,
	}
	for _, c := range change {
		c(&w)
	}
	return w
}

// ready makes the instance healthy once it has made the file of that name, so
// that its traps are set.
func ready(w *model.InstanceWork) {
	w.Spec.Health = model.HealthCheck{Type: model.HealthCommand, Command: "test -e ready"}
}

const sleeping = "trap 'exit 0' TERM; while :; do sleep 0.02; done"

// mounted gives the instance a volume of a class.
func (b *bench) mounted(guid, class string) func(*model.InstanceWork) {
	b.control.set(func(c *control) {
		c.work.Volumes = append(c.work.Volumes, model.VolumeWork{GUID: guid, Class: class, Epoch: 1})
	})
	return func(w *model.InstanceWork) {
		w.Mounts = append(w.Mounts, model.MountedWork{VolumeGUID: guid, Set: "store-data", Path: "/data"})
	}
}

// wantOut turns work into that of a permit that wants the instance out.
func wantOut(w model.InstanceWork, kind model.Kind, handler *model.Handler) model.InstanceWork {
	w.Run = false
	w.Task = &model.Task{PermitID: "permit-1", Kind: kind, Reason: model.ReasonRoll, Action: model.Recreate, Handler: handler}
	return w
}

func (b *bench) state(index int) func() model.InstanceState {
	return func() model.InstanceState { return b.control.last(index).State }
}

func (b *bench) disruption(index int) func() model.DisruptionState {
	return func() model.DisruptionState {
		if d := b.control.last(index).Disruption; d != nil {
			return d.State
		}
		return ""
	}
}

// serving waits until an instance serves and gives its PID.
func (b *bench) serving(index int) int {
	b.Helper()
	b.Eventually(b.state(index), patience).Should(Equal(model.Serving))
	return b.control.last(index).PID
}

// gone waits until nothing of a process group is left.
func (b *bench) gone(pid int) {
	b.Helper()
	b.Eventually(func() bool { return running(pid) }, patience).Should(BeFalse())
}

// running reports whether a process runs, zombies not counted.
func running(pid int) bool {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(content), ") Z ")
}

// moves reports whether a process can do anything: it has neither ended nor
// been frozen to be killed.
func moves(pid int) bool {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return running(pid) && !strings.Contains(string(content), ") T ")
}

// number reads a PID that a test's shell writes.
func (b *bench) number(path string) (pid int) {
	b.Helper()
	b.Eventually(func() (err error) {
		content, err := os.ReadFile(path)
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(content)))
		}
		return err
	}, patience).Should(Succeed())
	return pid
}

// root is the directory an instance runs in.
func (b *bench) root(index int) string {
	return filepath.Join(b.run(), "instances", fmt.Sprint("guid-", index), "root")
}

func TestInstanceIsStartedOnItsVolumeAndReported(t *testing.T) {
	b := newBench(t)
	b.start()
	b.control.give(instance(0, `env > env; echo kept > data/file; touch ready; `+sleeping, ready, b.mounted("volume-1", "persistent"), func(w *model.InstanceWork) {
		w.Ports = []int{15123, 15124}
		w.Spec.Ports = []string{"client", "bus"}
		w.Spec.Env = map[string]string{"COLOUR": "blue", "PORT": "mine"}
		w.HealthyFor = model.Duration(300 * time.Millisecond)
	}))
	pid := b.serving(0)
	b.Expect(running(pid)).To(BeTrue())
	b.Expect(b.control.story(0)).To(HaveExactElements(Equal("starting"), Equal("soaking"), Equal("serving")))
	b.Expect(filepath.Join(b.dir, "volumes", "volume-1", "file")).To(BeARegularFile())
	env, err := os.ReadFile(filepath.Join(b.root(0), "env"))
	b.Expect(err).NotTo(HaveOccurred())
	for _, want := range []string{
		"PORT=15123", "PORT_CLIENT=15123", "PORT_BUS=15124", "COLOUR=blue", "CF_INSTANCE_INDEX=0", "CF_INSTANCE_GUID=guid-0",
		"CF_INSTANCE_ADDR=127.0.0.1:15123", "CF_INSTANCE_IP=127.0.0.1", "CF_INSTANCE_PORT=15123", "MOORING_STARTED_AFTER=new",
		"MOORING_APP=acme/prod/store", "MOORING_INDEX=0", "MOORING_CELL=cell-1",
		"MOORING_VOLUME_STORE_DATA=" + filepath.Join(b.dir, "volumes", "volume-1"),
		"HOME=" + b.root(0), "MOORING_HOST=" + b.run(),
	} {
		b.Expect(strings.Split(string(env), "\n")).To(ContainElement(want))
	}
	b.Expect(string(env)).To(ContainSubstring(`"application_name":"store"`))
	b.control.mu.Lock()
	defer b.control.mu.Unlock()
	b.Expect(b.control.registrations).To(HaveLen(1))
	b.Expect(b.control.registrations[0].Classes).To(HaveLen(2))
	b.Expect(b.control.registrations[0].LogAddress).To(HavePrefix("127.0.0.1:"))
	b.Expect(b.control.registrations[0].Start).NotTo(BeEmpty())
}

func TestInstanceThatIsNotWantedAnyMoreLeavesNothing(t *testing.T) {
	b := newBench(t)
	b.start()
	b.control.give(instance(0, sleeping, b.mounted("volume-1", "persistent")), instance(1, sleeping))
	pid := b.serving(0)
	b.serving(1)
	b.control.set(func(c *control) {
		c.work.Instances = c.work.Instances[1:]
		c.work.Volumes[0].Delete = true
	})
	b.gone(pid)
	b.Eventually(b.volumes.history, patience).Should(Equal([]string{"attach volume-1", "detach volume-1", "delete volume-1"}))
	b.Eventually(b.state(0), patience).Should(BeEmpty())
	b.Expect(filepath.Dir(b.root(0))).NotTo(BeADirectory())
	b.Expect(b.state(1)()).To(Equal(model.Serving))
}

func TestCrashIsReportedWithEvidenceAndRestarted(t *testing.T) {
	b := newBench(t)
	b.start()
	b.control.give(instance(0, `echo "$MOORING_STARTED_AFTER" >> starts; if [ "$(wc -l < starts)" -lt 3 ]; then echo dying; exit 3; fi; `+sleeping))
	b.Eventually(b.state(0), patience).Should(Equal(model.Crashed))
	b.Expect(b.control.last(0).LastExit).To(Equal("exit status 3"))
	b.Expect(b.control.last(0).Output).To(ContainElement("dying"))
	b.Eventually(func() int { return b.control.last(0).Restarts }, patience).Should(Equal(2))
	b.serving(0)
	b.Expect(b.control.last(0).StartedAfter).To(Equal(model.AfterCrash))
	b.Eventually(func() string {
		starts, _ := os.ReadFile(filepath.Join(b.root(0), "starts"))
		return string(starts)
	}, patience).Should(Equal("new\ncrash\ncrash\n"))
}

func TestProcessThatNeverGetsHealthyIsKilledAndCountsAsCrashed(t *testing.T) {
	b := newBench(t)
	b.start()
	b.control.give(instance(0, sleeping, func(w *model.InstanceWork) {
		w.Spec.Health = model.HealthCheck{Type: model.HealthCommand, Command: "echo no quorum; false", StartTimeout: model.Duration(200 * time.Millisecond)}
	}))
	b.Eventually(func() string { return b.control.last(0).LastExit }, patience).Should(
		And(ContainSubstring("not healthy within 200ms"), ContainSubstring("no quorum")))
	b.Eventually(func() int { return b.control.last(0).Restarts }, patience).Should(BeNumerically(">=", 1))
}

func TestHealthThatIsLostAndFound(t *testing.T) {
	b := newBench(t)
	b.start()
	b.control.give(instance(0, "touch well; "+sleeping, func(w *model.InstanceWork) {
		w.Spec.Health = model.HealthCheck{Type: model.HealthCommand, Command: "test -e well", Interval: model.Duration(20 * time.Millisecond)}
	}))
	pid := b.serving(0)
	b.Expect(os.Remove(filepath.Join(b.root(0), "well"))).To(Succeed())
	b.Eventually(b.state(0), patience).Should(Equal(model.Failing))
	b.Expect(os.WriteFile(filepath.Join(b.root(0), "well"), nil, 0o600)).To(Succeed())
	b.Expect(b.serving(0)).To(Equal(pid), "a failing instance is not restarted")
}

func TestTakenPortBlocksTheInstanceUntilItIsFree(t *testing.T) {
	b := newBench(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	b.Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	b.start()
	b.control.give(instance(0, sleeping, func(w *model.InstanceWork) { w.Ports = []int{listener.Addr().(*net.TCPAddr).Port} }))
	b.Eventually(b.state(0), patience).Should(Equal(model.Blocked))
	b.Expect(b.control.last(0).Error).To(ContainSubstring("is already taken"))
	listener.Close()
	b.serving(0)
	b.Expect(b.control.last(0).Error).To(BeEmpty())
	b.Expect(b.control.last(0).Restarts).To(BeZero())
}

func TestHeldVolumeBlocksTheInstance(t *testing.T) {
	b := newBench(t)
	b.volumes.held = true
	b.start()
	b.control.give(instance(0, sleeping, b.mounted("volume-1", "shared")))
	b.Eventually(b.state(0), patience).Should(Equal(model.Blocked))
	b.Expect(b.control.last(0).Error).To(ContainSubstring("cell-9 has it"))
	b.volumes.mu.Lock()
	b.volumes.held = false
	b.volumes.mu.Unlock()
	b.serving(0)
}

func TestNewVersionReplacesTheProcess(t *testing.T) {
	b := newBench(t)
	b.start()
	b.control.give(instance(0, sleeping))
	pid := b.serving(0)
	b.control.give(instance(0, sleeping, func(w *model.InstanceWork) { w.SpecVersion = 2 }))
	b.Eventually(func() int { return b.control.last(0).SpecVersion }, patience).Should(Equal(2))
	b.Expect(b.serving(0)).NotTo(Equal(pid))
	b.Expect(b.control.last(0).Restarts).To(BeZero())
}

// BOSH stops the jobs of a VM in an order of its own; without pre-stop the volume
// manager may be gone before the agent.
func TestAgent_StopsThoughTheVolumeManagerIsGone(t *testing.T) {
	b := newBench(t)
	stop := b.start()
	b.control.give(instance(0, sleeping, b.mounted("volume-1", "persistent")))
	pid := b.serving(0)
	b.volumes.mu.Lock()
	b.volumes.away = true
	b.volumes.mu.Unlock()
	b.Expect(stop()).To(Succeed())
	b.Expect(running(pid)).To(BeFalse())
	b.Expect(b.volumes.history()).To(Equal([]string{"attach volume-1"}))

	b.volumes.mu.Lock()
	b.volumes.away = false
	b.volumes.mu.Unlock()
	b.start()
	b.control.give() // nothing is wanted here any more
	b.Eventually(b.volumes.history, patience).Should(Equal([]string{"attach volume-1", "detach volume-1"}), "what stayed attached is found again")
}

func TestOrderlyStopStopsEverythingAndSaysSo(t *testing.T) {
	b := newBench(t)
	stop := b.start()
	b.control.give(
		instance(0, "trap 'touch asked; exit 0' TERM; touch ready; "+sleepLoop, ready, b.mounted("volume-1", "persistent")),
		instance(1, sleeping))
	first, second := b.serving(0), b.serving(1)
	b.Expect(stop()).To(Succeed())
	b.Expect(running(first)).To(BeFalse())
	b.Expect(running(second)).To(BeFalse())
	b.Expect(filepath.Join(b.root(0), "asked")).To(BeARegularFile())
	b.Expect(b.volumes.history()).To(Equal([]string{"attach volume-1", "detach volume-1"}))
	b.Expect(b.control.last(0).State).To(Equal(model.Stopped))
	b.Expect(b.control.last(1).State).To(Equal(model.Stopped))

	b.start()
	b.serving(0)
	b.Expect(b.control.last(0).StartedAfter).To(Equal(model.AfterInterrupt))
	b.Expect(b.control.last(0).Restarts).To(BeZero())
}

func TestOneAgentAtATime(t *testing.T) {
	b := newBench(t)
	b.start()
	b.control.give(instance(0, sleeping))
	b.serving(0)
	b.Expect(cell.New(b.config()).Run(t.Context())).To(MatchError(ContainSubstring("another agent uses it")))
	b.Expect(b.state(0)()).To(Equal(model.Serving))
}

func TestUnwritableRunDirectoryIsAClearError(t *testing.T) {
	b := newBench(t)
	b.Expect(os.WriteFile(b.run(), nil, 0o600)).To(Succeed())
	b.Expect(cell.New(b.config()).Run(t.Context())).To(MatchError(ContainSubstring("may the agent write there?")))
	b.Expect(os.Remove(b.run())).To(Succeed())
}

func TestKilledProcessOfAnAgentIsNoticedAtOnce(t *testing.T) {
	b := newBench(t)
	b.start()
	b.control.give(instance(0, "sleep 1000 & echo $! > child; wait"))
	pid := b.serving(0)
	child := b.number(filepath.Join(b.root(0), "child"))
	b.Expect(unix.Kill(pid, unix.SIGKILL)).To(Succeed())
	b.Eventually(func() int { return b.control.last(0).Restarts }, patience).Should(Equal(1))
	b.Expect(running(child)).To(BeFalse(), "what a crashed instance left is killed before it starts again")
	b.Expect(b.serving(0)).NotTo(Equal(pid))
	b.Expect(b.control.last(0).LastExit).To(Equal("signal: killed"))
}

func TestVolumeThatNobodyUsesIsGivenUp(t *testing.T) {
	b := newBench(t)
	b.start()
	b.control.give(instance(0, sleeping, b.mounted("volume-1", "persistent")))
	b.serving(0)
	b.volumes.mu.Lock()
	b.volumes.exist["volume-2"], b.volumes.attached["volume-2"] = model.VolumeWork{GUID: "volume-2"}, true
	b.volumes.mu.Unlock()
	b.control.set(func(*control) {}) // the same work, again
	b.Eventually(b.volumes.history, patience).Should(Equal([]string{"attach volume-1", "detach volume-2"}))
	b.Eventually(func() map[string]model.VolumeState {
		b.control.mu.Lock()
		defer b.control.mu.Unlock()
		states := map[string]model.VolumeState{}
		for _, v := range b.control.reports[len(b.control.reports)-1].Volumes {
			states[v.GUID] = v.State
		}
		return states
	}, patience).Should(Equal(map[string]model.VolumeState{"volume-1": model.VolumeAttached, "volume-2": model.VolumeReady}))
}
