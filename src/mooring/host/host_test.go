package host_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/host"
	"mooring/model"
)

var request = host.Request{Roll: "upgrade.cell-1.42", Plan: "upgrade", Cell: "cell-1", Action: model.Recreate}

func TestCommandIsToldWhatToDo(t *testing.T) {
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "told")
	t.Setenv("TOLD", file)

	err := host.Command(`echo "$MOORING_ACTION $MOORING_CELL $MOORING_PLAN $MOORING_ROLL" >"$TOLD"`).Act(t.Context(), request)

	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.ReadFile(file)).To(BeEquivalentTo("recreate cell-1 upgrade upgrade.cell-1.42\n"))
}

func TestCommandThatFailsSaysWhatItPrintedLast(t *testing.T) {
	g := NewWithT(t)

	err := host.Command(`seq 1 10000; echo "disk is full" >&2; exit 7`).Act(t.Context(), request)

	g.Expect(err).To(MatchError(SatisfyAll(
		ContainSubstring("recreate of cell-1"),
		ContainSubstring("exit status 7"),
		ContainSubstring("10000\ndisk is full"),
	)))
	g.Expect(len(err.Error())).To(BeNumerically("<", 3000), "only the tail is kept")
	_, kept, _ := strings.Cut(err.Error(), "…")
	g.Expect(strings.Fields(kept)[0]).To(HaveLen(4), "the tail begins with a whole line")
}

func TestCommandIsKilledWithItsChildrenWhenTheContextEnds(t *testing.T) {
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "pid")
	t.Setenv("PIDFILE", file)
	because := errors.New("the roll was aborted")
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- host.Command(`sleep 60 & echo $! >"$PIDFILE"; wait`).Act(ctx, request) }()
	var child string
	g.Eventually(func() string {
		content, _ := os.ReadFile(file)
		child = strings.TrimSpace(string(content))
		return child
	}).Should(MatchRegexp(`^\d+$`))

	cancel(because)

	g.Eventually(ended).Should(Receive(MatchError(because)))
	g.Eventually(func() string { return state(child) }).Should(BeElementOf("", "Z"), "the child of the command is gone")
}

// state gives the process's state letter from /proc, "" when it is gone.
func state(pid string) string {
	content, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(content), ") ")
	return rest[:1]
}

func TestWaitNeverClaimsSuccess(t *testing.T) {
	g := NewWithT(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()

	g.Expect(host.Wait{}.Act(ctx, request)).To(MatchError(context.DeadlineExceeded))
}

func TestThePlansOwnChoiceComesFirst(t *testing.T) {
	g := NewWithT(t)
	fallback := model.Via{Command: "fallback"}

	g.Expect(host.For(model.Via{Command: "own"}, fallback)).To(Equal(host.Command("own")))
	g.Expect(host.For(model.Via{Wait: true}, fallback)).To(Equal(host.Wait{}))
	g.Expect(host.For(model.Via{}, fallback)).To(Equal(host.Command("fallback")))
	g.Expect(host.For(model.Via{}, model.Via{})).To(Equal(host.Wait{}), "nobody said how, so somebody else acts")
}
