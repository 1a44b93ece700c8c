package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"mooring/boot"
	"mooring/container"
)

// agentDir makes the test binary an agent that starts an instance and then
// waits to be killed.
const agentDir = "PROCESS_TEST_AGENT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(agentDir); dir != "" {
		beAgent(dir)
	}
	os.Exit(m.Run())
}

func beAgent(dir string) {
	runtime, err := New(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	instance, err := runtime.Start(context.Background(), spec("guid-1", "echo hello; trap 'exit 7' TERM; while :; do sleep 0.05; done"))
	if err != nil {
		panic(err)
	}
	go instance.Exec(context.Background(), container.Command{Text: "echo $$ > handler.pid; sleep 1000"})
	fmt.Println(instance.PID())
	select {}
}

func spec(id, command string) container.Spec {
	return container.Spec{ID: id, Command: command, Env: []string{"PATH=" + os.Getenv("PATH"), "COLOUR=blue"}}
}

func newRuntime(t *testing.T) *Runtime {
	runtime, err := New(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { KillAll(context.Background(), runtime.dir, runtime.log) })
	return runtime
}

// start starts an instance and sees to its end.
func start(t *testing.T, runtime *Runtime, s container.Spec) container.Instance {
	instance, err := runtime.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { instance.Stop(context.Background(), 0) })
	return instance
}

// ended waits for the end of an instance.
func ended(g Gomega, instance container.Instance) container.Exit {
	g.Eventually(instance.Done(), "10s").Should(BeClosed())
	return instance.Exit()
}

// alive reports whether a process runs, zombies not counted.
func alive(pid int) bool {
	found, err := readStat(pid)
	return err == nil && !found.dead()
}

// number reads a PID that a test's shell wrote, once it is there.
func number(g Gomega, path string) int {
	var pid int
	g.Eventually(func() (err error) {
		content, err := os.ReadFile(path)
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(content)))
		}
		return err
	}, "10s", "5ms").Should(Succeed())
	return pid
}

func TestInstanceRunsInItsDirectoryWithItsEnvironment(t *testing.T) {
	g := NewWithT(t)
	runtime := newRuntime(t)
	source := t.TempDir()
	s := spec("guid-1", `pwd; echo "$COLOUR $HOME $MOORING_HOST $CF_INSTANCE_GUID"; echo kept > data/file; echo wrong >&2; exit 3`)
	s.Mounts = []container.Mount{{Path: "/data", Source: source}}

	exit := ended(g, start(t, runtime, s))

	g.Expect(exit.String()).To(Equal("exit status 3"))
	root := filepath.Join(runtime.home("guid-1"), "root")
	output, err := os.ReadFile(runtime.LogPath("guid-1"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(output)).To(Equal(fmt.Sprintf("%s\nblue %s %s guid-1\nwrong\n", root, root, runtime.dir)))
	g.Expect(filepath.Join(source, "file")).To(BeARegularFile())
	g.Expect(runtime.recordPath("guid-1")).NotTo(BeAnExistingFile())
}

func TestNothingRunsBeforeItIsOnRecord(t *testing.T) {
	g := NewWithT(t)
	wait, release, err := os.Pipe()
	g.Expect(err).NotTo(HaveOccurred())
	begin := exec.Command("/bin/sh", "-c", gate, "mooring", "touch ran")
	begin.Dir, begin.ExtraFiles = t.TempDir(), []*os.File{wait}
	g.Expect(begin.Start()).To(Succeed())
	wait.Close()
	release.Close() // as when the agent dies before it has recorded the process
	g.Expect(begin.Wait()).NotTo(Succeed())
	g.Expect(filepath.Join(begin.Dir, "ran")).NotTo(BeAnExistingFile())
}

func TestStopGivesTimeThenKills(t *testing.T) {
	g := NewWithT(t)
	runtime := newRuntime(t)
	polite := start(t, runtime, spec("polite", "trap 'exit 0' TERM; touch ready; while :; do sleep 0.01; done"))
	stubborn := start(t, runtime, spec("stubborn", "trap '' TERM; touch ready; while :; do sleep 0.01; done"))
	for _, id := range []string{"polite", "stubborn"} {
		g.Eventually(filepath.Join(runtime.home(id), "root", "ready"), "10s").Should(BeAnExistingFile())
	}

	g.Expect(polite.Stop(t.Context(), time.Minute)).To(Succeed())
	g.Expect(polite.Exit().String()).To(Equal("exit status 0"))
	g.Expect(stubborn.Stop(t.Context(), 50*time.Millisecond)).To(Succeed())
	g.Expect(stubborn.Exit().String()).To(Equal("signal: killed"))
}

func TestStopWithoutGraceOvertakesAStopThatWaits(t *testing.T) {
	g := NewWithT(t)
	runtime := newRuntime(t)
	instance := start(t, runtime, spec("guid-1", "trap '' TERM; touch ready; while :; do sleep 0.01; done"))
	g.Eventually(filepath.Join(runtime.home("guid-1"), "root", "ready"), "10s").Should(BeAnExistingFile())
	waiting := make(chan error)
	go func() { waiting <- instance.Stop(context.Background(), time.Hour) }()
	g.Consistently(instance.Done(), "50ms").ShouldNot(BeClosed())

	g.Expect(instance.Stop(t.Context(), 0)).To(Succeed())
	g.Eventually(waiting, "10s").Should(Receive(BeNil()))
}

func TestNothingOutlivesItsInstance(t *testing.T) {
	escapes := map[string]string{
		"a child in the group":         `sleep 1000 & echo $! > stray.pid; wait`,
		"a child in another session":   `setsid sh -c 'echo $$ > stray.pid; exec sleep 1000' & wait`,
		"a daemon":                     `(setsid sh -c 'echo $$ > stray.pid; exec sleep 1000' &) ; sleep 1000`,
		"a child without the marks":    `env -i /bin/sh -c 'echo $$ > stray.pid; exec /bin/sleep 1000' & wait`,
		"a child in another group":     `bash -c 'set -m; env -i /bin/sh -c "echo \$\$ > stray.pid; exec /bin/sleep 1000" &'; sleep 1000`,
		"a child left by its launcher": `(env -i /bin/sh -c 'echo $$ > stray.pid; exec /bin/sleep 1000' &) ; sleep 1000`,
	}
	for name, command := range escapes {
		for _, how := range []string{"stopped", "killed", "crashed"} {
			t.Run(name+", "+how, func(t *testing.T) {
				g := NewWithT(t)
				runtime := newRuntime(t)
				instance := start(t, runtime, spec("guid-1", command))
				stray := number(g, filepath.Join(runtime.home("guid-1"), "root", "stray.pid"))
				g.Expect(alive(stray)).To(BeTrue())
				switch how {
				case "stopped":
					g.Expect(instance.Stop(t.Context(), 10*time.Second)).To(Succeed())
				case "killed":
					g.Expect(instance.Stop(t.Context(), 0)).To(Succeed())
				case "crashed":
					g.Expect(unix.Kill(instance.PID(), unix.SIGKILL)).To(Succeed())
					g.Expect(ended(g, instance).String()).To(Equal("signal: killed"))
				}
				g.Expect(alive(stray)).To(BeFalse())
			})
		}
	}
}

func TestStartRefusesATakenPort(t *testing.T) {
	g := NewWithT(t)
	runtime := newRuntime(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	s := spec("guid-1", "touch started")
	s.Listen = []string{listener.Addr().String()}

	_, err = runtime.Start(t.Context(), s)

	g.Expect(err).To(MatchError(ContainSubstring("is already taken")))
	g.Expect(filepath.Join(runtime.home("guid-1"), "root", "started")).NotTo(BeAnExistingFile())
}

func TestMountsStayInsideTheInstance(t *testing.T) {
	g := NewWithT(t)
	root, source := t.TempDir(), t.TempDir()
	g.Expect(linkMounts(root, []container.Mount{{Path: "/../../a/b", Source: source}})).To(Succeed())
	g.Expect(os.Readlink(filepath.Join(root, "a", "b"))).To(Equal(source))
	g.Expect(linkMounts(root, []container.Mount{{Path: "/a/b/c", Source: source}})).To(MatchError(ContainSubstring("/a/b/c")))
	g.Expect(linkMounts(root, []container.Mount{{Path: "/", Source: source}})).To(MatchError(ContainSubstring("use a path such as /data")))
	g.Expect(linkMounts(root, []container.Mount{{Path: "/a", Source: source}})).To(MatchError(ContainSubstring("in the way")))
	g.Expect(linkMounts(root, []container.Mount{{Path: "/a/b", Source: root}})).To(Succeed())
	g.Expect(os.Readlink(filepath.Join(root, "a", "b"))).To(Equal(root))
}

func TestExecReportsOutputAndExit(t *testing.T) {
	g := NewWithT(t)
	instance := start(t, newRuntime(t), spec("guid-1", "sleep 1000"))
	var output bytes.Buffer
	err := instance.Exec(t.Context(), container.Command{Text: `echo "$COLOUR $SHADE"; exit 4`, Env: []string{"SHADE=dark"}, Out: &output})
	var exit *container.ExitError
	g.Expect(errors.As(err, &exit)).To(BeTrue())
	g.Expect(exit.Exit.Status).To(Equal(4))
	g.Expect(output.String()).To(Equal("blue dark\n"))
	g.Expect(instance.Exec(t.Context(), container.Command{Text: "true"})).To(Succeed())
}

func TestExecLeavesNothingBehind(t *testing.T) {
	g := NewWithT(t)
	runtime := newRuntime(t)
	instance := start(t, runtime, spec("guid-1", "sleep 1000"))
	root := filepath.Join(runtime.home("guid-1"), "root")

	g.Expect(instance.Exec(t.Context(), container.Command{Text: "setsid sleep 1000 & echo $! > left.pid"})).To(Succeed())
	g.Expect(alive(number(g, filepath.Join(root, "left.pid")))).To(BeFalse())
	g.Expect(instance.Exec(t.Context(), container.Command{Text: "sleep 1000 & echo $! > check.pid", Frequent: true})).To(Succeed())
	g.Eventually(func() bool { return alive(number(g, filepath.Join(root, "check.pid"))) }, "10s").Should(BeFalse())

	// The one that hears may take as long as it needs, the deaf one may not.
	told := errors.New("told to stop")
	for name, command := range map[string]container.Command{
		"hears": {Text: "trap 'echo asked > asked; exit' TERM; echo $$ > hears.pid; while :; do sleep 0.01; done", Grace: time.Hour},
		"deaf":  {Text: "trap '' TERM; echo $$ > deaf.pid; while :; do sleep 0.01; done", Grace: 100 * time.Millisecond},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		result := make(chan error, 1)
		go func() { result <- instance.Exec(ctx, command) }()
		pid := number(g, filepath.Join(root, name+".pid"))
		cancel(told)
		g.Eventually(result, "10s").Should(Receive(MatchError(told)), name)
		g.Expect(alive(pid)).To(BeFalse(), name)
	}
	g.Expect(filepath.Join(root, "asked")).To(BeARegularFile())
	g.Expect(alive(instance.PID())).To(BeTrue())
}

func TestInstancesSurviveTheirAgentAndAreAdopted(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	t.Cleanup(func() { KillAll(context.Background(), dir, slog.New(slog.DiscardHandler)) })
	agent := exec.Command(os.Args[0])
	agent.Env = append(os.Environ(), agentDir+"="+dir)
	output, err := agent.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(agent.Start()).To(Succeed())
	var pid int
	_, err = fmt.Fscan(output, &pid)
	g.Expect(err).NotTo(HaveOccurred())
	handler := number(g, filepath.Join(dir, "instances", "guid-1", "root", "handler.pid"))
	g.Expect(agent.Process.Kill()).To(Succeed())
	agent.Wait()

	runtime, err := New(dir, slog.New(slog.DiscardHandler))
	g.Expect(err).NotTo(HaveOccurred())
	adopted, err := runtime.Adopt(t.Context())
	g.Expect(err).NotTo(HaveOccurred())

	g.Expect(adopted).To(HaveLen(1))
	g.Expect(adopted[0].PID()).To(Equal(pid))
	g.Expect(alive(pid)).To(BeTrue())
	g.Expect(alive(handler)).To(BeFalse(), "handlers of a dead agent are killed")
	var said bytes.Buffer
	g.Expect(adopted[0].Exec(t.Context(), container.Command{Text: "echo $COLOUR", Out: &said})).To(Succeed())
	g.Expect(said.String()).To(Equal("blue\n"))
	g.Expect(adopted[0].Stop(t.Context(), 10*time.Second)).To(Succeed())
	g.Expect(alive(pid)).To(BeFalse())
	g.Expect(adopted[0].Exit().String()).To(Or(Equal("exit status 7"), ContainSubstring("unknown")))
	again, err := runtime.Adopt(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again).To(BeEmpty())
}

func TestAdoptKillsWhatAnEndedInstanceLeft(t *testing.T) {
	g := NewWithT(t)
	runtime := newRuntime(t)
	// A session whose first process has ended, without the marks: as after a
	// launcher was killed while no agent watched.
	launcher := exec.Command("setsid", "sh", "-c", "echo $$ > leader.pid; sleep 1000 & echo $! > rest.pid; sleep 1000")
	launcher.Dir = t.TempDir()
	g.Expect(launcher.Start()).To(Succeed())
	rest := number(g, filepath.Join(launcher.Dir, "rest.pid"))
	leader, err := readStat(number(g, filepath.Join(launcher.Dir, "leader.pid")))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.MkdirAll(runtime.home("guid-1"), 0o700)).To(Succeed())
	g.Expect(runtime.write(record{Spec: spec("guid-1", ""), PID: leader.PID, Start: leader.Start, Boot: runtime.boot})).To(Succeed())
	g.Expect(unix.Kill(leader.PID, unix.SIGKILL)).To(Succeed())
	launcher.Wait()
	g.Expect(alive(rest)).To(BeTrue())

	adopted, err := runtime.Adopt(t.Context())

	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(adopted).To(BeEmpty())
	g.Expect(alive(rest)).To(BeFalse())
}

func TestAdoptLeavesAProcessAloneThatGotTheNumberLater(t *testing.T) {
	g := NewWithT(t)
	runtime := newRuntime(t)
	other := exec.Command("sleep", "1000")
	g.Expect(other.Start()).To(Succeed())
	defer func() { other.Process.Kill(); other.Wait() }()
	now, err := readStat(other.Process.Pid)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.MkdirAll(runtime.home("guid-1"), 0o700)).To(Succeed())
	g.Expect(runtime.write(record{Spec: spec("guid-1", ""), PID: now.PID, Start: now.Start - 1, Boot: runtime.boot})).To(Succeed())

	adopted, err := runtime.Adopt(t.Context())

	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(adopted).To(BeEmpty())
	g.Expect(alive(now.PID)).To(BeTrue())
	g.Expect(runtime.recordPath("guid-1")).NotTo(BeAnExistingFile())
}

func TestAdopt_TakesNothingUpFromAnotherBoot(t *testing.T) {
	g := NewWithT(t)
	here, err := boot.ID()
	g.Expect(err).NotTo(HaveOccurred())
	runtime := newRuntime(t)
	g.Expect(runtime.boot).To(Equal(here), "the boot is told as the cell tells it")
	instance := start(t, runtime, spec("guid-1", "sleep 1000"))
	rec, err := runtime.read("guid-1")
	g.Expect(err).NotTo(HaveOccurred())
	kernel, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	g.Expect(err).NotTo(HaveOccurred())
	rec.Boot = strings.TrimSpace(string(kernel)) // which a VM that is gone had too
	g.Expect(runtime.write(rec)).To(Succeed())

	adopted, err := runtime.Adopt(t.Context())

	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(adopted).To(BeEmpty())
	g.Expect(alive(instance.PID())).To(BeFalse(), "what carries the marks does not run on unwatched")
	g.Expect(runtime.recordPath("guid-1")).NotTo(BeAnExistingFile())
}

func TestDamagedRecordIsAnErrorThatNamesIt(t *testing.T) {
	g := NewWithT(t)
	runtime := newRuntime(t)
	g.Expect(os.MkdirAll(runtime.home("guid-1"), 0o700)).To(Succeed())
	g.Expect(os.WriteFile(runtime.recordPath("guid-1"), []byte("{"), 0o600)).To(Succeed())
	_, err := runtime.Adopt(t.Context())
	g.Expect(err).To(MatchError(ContainSubstring(runtime.recordPath("guid-1"))))
	g.Expect(runtime.Remove("guid-1")).To(Succeed())
	g.Expect(runtime.Remove("..")).NotTo(Succeed())
}

func TestStatOfAProcessWithAnAwkwardName(t *testing.T) {
	g := NewWithT(t)
	got, err := parseStat(42, "42 (a) S (b) R 7 8 9 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal(stat{PID: 42, State: 'R', Parent: 7, Group: 8, Session: 9, Start: 12345}))
	_, err = parseStat(42, "42 (a) S 1 2")
	g.Expect(err).To(HaveOccurred())
}

func TestWhatIsKilledIsFrozenFirst(t *testing.T) {
	g := NewWithT(t)
	instance := start(t, newRuntime(t), spec("guid-1", "sleep 1000 & echo $! > child.pid; wait")).(*Instance)
	child := number(g, filepath.Join(instance.runtime.home("guid-1"), "root", "child.pid"))
	instance.family().freeze()
	for _, pid := range []int{instance.PID(), child} {
		g.Eventually(func() (byte, error) { found, err := readStat(pid); return found.State, err }, "10s").Should(Equal(byte('T')))
	}
	other := instance.family()
	other.session, other.since = os.Getpid(), 1 // a number that was given to somebody else
	other.freeze()
	g.Expect(instance.Stop(t.Context(), 0)).To(Succeed())
	g.Expect(alive(child)).To(BeFalse())
}
