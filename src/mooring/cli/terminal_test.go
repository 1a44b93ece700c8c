package cli_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"mooring/cli"
	"mooring/model"
)

// openTerminal gives the two ends of a terminal: what a person sees, and what
// a program writes to.
func openTerminal(t *testing.T) (seen, written *os.File) {
	g := NewWithT(t)
	seen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { seen.Close() })
	g.Expect(unix.IoctlSetPointerInt(int(seen.Fd()), unix.TIOCSPTLCK, 0)).To(Succeed())
	number, err := unix.IoctlGetInt(int(seen.Fd()), unix.TIOCGPTN)
	g.Expect(err).NotTo(HaveOccurred())
	written, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { written.Close() })
	return seen, written
}

func TestWatchRedrawsATerminal(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	done := rolling()
	done.Status, done.Stuck = model.PlanDone, nil
	api.streams("GET /v1/plans/kernel/stream", "plan", rolling(), done)

	seen, written := openTerminal(t)
	var screen lockedBuffer
	go func() {
		part := make([]byte, 4096)
		for {
			n, err := seen.Read(part)
			if err != nil {
				return
			}
			_, _ = screen.Write(part[:n])
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	app := cli.New()
	app.Writer, app.ErrWriter = written, os.Stderr
	g.Expect(cli.Execute(ctx, app, []string{"moor", "--api", api.URL, "plan-status", "kernel", "--watch"})).To(Equal(0))

	frames := func() []string { return strings.Split(screen.String(), "\x1b[H\x1b[J") }
	g.Eventually(func() string { f := frames(); return f[len(f)-1] }, "5s", "5ms").Should(ContainSubstring("plan kernel: reboot, done"))
	g.Expect(frames()[0]).To(Equal("\x1b[2J"), "the screen is cleared once, at first")
	g.Expect(frames()[1]).To(ContainSubstring("plan kernel: reboot, running"))
	g.Expect(frames()[len(frames())-1]).NotTo(ContainSubstring("running"), "each frame is whole")
}
