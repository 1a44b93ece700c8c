package dev

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

const patience = 20 * time.Second

func start(t *testing.T, dir string) *Supervisor {
	t.Helper()
	s, err := Start(testConfig(dir, "127.0.0.1:0"))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return s
}

func processNamed(s *Supervisor, name string) Process {
	for _, p := range s.Processes() {
		if p.Name == name {
			return p
		}
	}
	return Process{}
}

func alive(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") // a zombie waits for its parent only
}

func TestAProcessThatIsKilledIsStartedAgain(t *testing.T) {
	g := NewWithT(t)
	s := start(t, shortDir(t))
	defer s.Stop()

	for _, name := range []string{"control-plane", "cell-0/volume-manager", "cell-1/cell"} {
		before := processNamed(s, name)
		g.Expect(before.PID).NotTo(BeZero(), name)
		g.Expect(syscall.Kill(before.PID, syscall.SIGKILL)).To(Succeed())
		g.Eventually(func() Process { return processNamed(s, name) }, patience).Should(And(
			HaveField("PID", And(Not(BeZero()), Not(Equal(before.PID)))),
			HaveField("Restarts", 1)), name)
	}
}

func TestStopLeavesNothingBehind(t *testing.T) {
	g := NewWithT(t)
	dir := shortDir(t)
	s := start(t, dir)
	g.Eventually(func() []int { return onHost(s.runDir("cell-0")) }, patience).ShouldNot(BeEmpty())
	processes := s.Processes()
	g.Expect(processes).To(HaveLen(5))

	s.Stop()

	for _, p := range processes {
		g.Expect(alive(p.PID)).To(BeFalse(), p.Name)
	}
	g.Expect(onHost(s.runDir("cell-0"))).To(BeEmpty())
	g.Expect(onHost(s.runDir("cell-1"))).To(BeEmpty())
}

func TestASupervisorThatIsKilledTakesItsProcessesAlong(t *testing.T) {
	g := NewWithT(t)
	dir := shortDir(t)
	cmd := exec.Command(os.Args[0], "supervise", dir, "127.0.0.1:0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cmd.Start()).To(Succeed())
	line, err := bufio.NewReader(out).ReadString('\n')
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(line).To(Equal("ready\n"))
	processes, err := Connect(dir).Processes(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(processes).To(HaveLen(5))

	g.Expect(cmd.Process.Kill()).To(Succeed())
	_ = cmd.Wait()

	for _, p := range processes {
		g.Eventually(func() bool { return alive(p.PID) }, patience).Should(BeFalse(), p.Name)
	}

	// What the cells themselves ran is found by the next supervisor.
	s := start(t, dir)
	defer s.Stop()
	g.Eventually(func() []int { return onHost(s.runDir("cell-0")) }, patience).Should(HaveLen(1))
}

func TestWhatAnActionTakesAway(t *testing.T) {
	for _, test := range []struct {
		action                  model.Action
		newBoot                 bool
		run, ephemeral, kept    bool // does what was on it survive?
		instanceKilled, comesUp bool
	}{
		{model.Restart, false, true, true, true, true, true},
		{model.Reboot, true, true, true, true, true, true},
		{model.Recreate, true, false, false, true, true, true},
		{model.Retire, true, false, false, false, true, false},
	} {
		t.Run(string(test.action), func(t *testing.T) {
			g := NewWithT(t)
			s := start(t, shortDir(t))
			defer s.Stop()
			m, err := s.machine("cell-0")
			g.Expect(err).NotTo(HaveOccurred())
			g.Eventually(func() []int { return onHost(s.runDir(m.ID)) }, patience).Should(HaveLen(1))
			instance, boot := onHost(s.runDir(m.ID))[0], m.Boot
			mark := func(dir string) string {
				path := filepath.Join(dir, "mark")
				g.Expect(os.WriteFile(path, nil, 0o644)).To(Succeed())
				return path
			}
			run, ephemeral, persistent := mark(s.runDir(m.ID)), mark(s.diskDir(m.ID, "ephemeral")), mark(s.diskDir(m.ID, "persistent"))

			g.Expect(s.Act(m.ID, test.action, "roll-1")).To(Succeed())

			there := func(path string) bool { _, err := os.Stat(path); return err == nil }
			g.Expect(m.Boot != boot).To(Equal(test.newBoot))
			g.Expect(there(run)).To(Equal(test.run))
			g.Expect(there(ephemeral)).To(Equal(test.ephemeral))
			g.Expect(there(persistent)).To(Equal(test.kept))
			g.Expect(!alive(instance)).To(Equal(test.instanceKilled))
			g.Expect(processNamed(s, "cell-0/cell").PID != 0).To(Equal(test.comesUp))
		})
	}
}

func TestAnActionIsNotRepeatedForTheSameRoll(t *testing.T) {
	g := NewWithT(t)
	dir := shortDir(t)
	s := start(t, dir)
	remote := Connect(dir)
	g.Expect(remote.Act(t.Context(), "cell-0", model.Recreate, "roll-1")).To(Succeed())
	pid := processNamed(s, "cell-0/cell").PID

	g.Expect(remote.Act(t.Context(), "cell-0", model.Recreate, "roll-1")).To(Succeed())
	g.Expect(processNamed(s, "cell-0/cell").PID).To(Equal(pid))

	g.Expect(remote.Act(t.Context(), "cell-0", model.Recreate, "roll-2")).To(Succeed())
	g.Expect(processNamed(s, "cell-0/cell").PID).NotTo(Equal(pid))
	s.Stop()

	again := start(t, dir)
	defer again.Stop()
	m, _ := again.machine("cell-0")
	g.Expect(m.LastRoll).To(Equal("roll-2"))
}

func TestARetiredCellStaysAway(t *testing.T) {
	g := NewWithT(t)
	dir := shortDir(t)
	s := start(t, dir)
	g.Expect(s.Act("cell-1", model.Retire, "roll-1")).To(Succeed())
	g.Expect(s.Act("cell-1", model.Restart, "roll-2")).To(MatchError("cell-1 is retired: it is not coming back"))
	s.Stop()

	again := start(t, dir)
	defer again.Stop()
	g.Expect(again.Cells()).To(Equal([]string{"cell-0"}))
}

func TestRefusals(t *testing.T) {
	t.Run("a port that is taken", func(t *testing.T) {
		g := NewWithT(t)
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		g.Expect(err).NotTo(HaveOccurred())
		defer taken.Close()
		dir := shortDir(t)
		_, err = Start(testConfig(dir, taken.Addr().String()))
		g.Expect(err).To(MatchError(ContainSubstring("the port is taken; stop what listens there or choose another with --listen")))
		g.Expect(filepath.Join(dir, "fleet.json")).NotTo(BeAnExistingFile())
	})
	t.Run("a state directory that cannot be written", func(t *testing.T) {
		_, err := Start(testConfig("/proc/nowhere", "127.0.0.1:0"))
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("choose a directory you may write to with --state-dir")))
	})
	t.Run("a state directory in use", func(t *testing.T) {
		dir := shortDir(t)
		s := start(t, dir)
		defer s.Stop()
		_, err := Start(testConfig(dir, "127.0.0.1:0"))
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("another `moor dev` runs in")))
	})
	t.Run("a path too long for sockets", func(t *testing.T) {
		_, err := Start(testConfig(filepath.Join(shortDir(t), strings.Repeat("x", 100)), "127.0.0.1:0"))
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("too long for the unix sockets")))
	})
	t.Run("a fleet without cells", func(t *testing.T) {
		cfg := testConfig(shortDir(t), "127.0.0.1:0")
		cfg.Cells = 0
		_, err := Start(cfg)
		NewWithT(t).Expect(err).To(MatchError("a fleet has 1 to 2000 cells, not 0"))
	})
	t.Run("a cell and an action that are not there", func(t *testing.T) {
		g := NewWithT(t)
		dir := shortDir(t)
		s := start(t, dir)
		defer s.Stop()
		g.Expect(Connect(dir).Act(t.Context(), "cell-9", model.Restart, "")).To(MatchError(`there is no cell "cell-9" in this fleet`))
		g.Expect(s.Act("cell-0", "explode", "")).To(MatchError(ContainSubstring("use restart, reboot, recreate or retire")))
	})
}

func TestAHaltedHostStaysOffUntilItIsActedOn(t *testing.T) {
	g := NewWithT(t)
	dir := shortDir(t)
	s := start(t, dir)
	defer s.Stop()
	boot := s.machines[0].Boot
	g.Expect(Connect(dir).Halt(t.Context(), "cell-0")).To(Succeed())
	g.Expect(processNamed(s, "cell-0/cell")).To(Equal(Process{}))
	g.Expect(onHost(s.runDir("cell-0"))).To(BeEmpty())
	g.Expect(s.Act("cell-0", model.Restart, "")).To(Succeed())
	g.Eventually(func() Process { return processNamed(s, "cell-0/cell") }, patience).Should(HaveField("PID", Not(BeZero())))
	g.Expect(s.machines[0].Boot).To(Equal(boot))
	g.Expect(Connect(dir).Halt(t.Context(), "cell-9")).To(MatchError(ContainSubstring("there is no cell")))
}
