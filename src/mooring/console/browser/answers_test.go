package browser

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

// answer gives an answer to what is stuck in this way from the board, as a
// person with a mouse would.
func (p *page) answer(kind model.StuckKind, verb model.Verb, reason string, typed map[string]string) {
	p.t.Helper()
	// One look finds the button and presses it: the board may be drawn anew
	// before the next.
	p.await(fmt.Sprintf(`(() => { document.querySelector('.alert[data-kind=%q] [data-verb=%q]:not(:disabled)')?.click(); return document.getElementById("dialog").open; })()`, kind, verb))
	p.fill("#ask-reason", reason)
	p.fill("#ask-by", "Robin")
	for field, text := range typed {
		p.fill(field, text)
	}
	eval[bool](p, `(document.querySelector("#dialog [type=submit]").click(), true)`)
	p.await(`!document.getElementById("dialog").open`)
}

func TestWaitRetrySkipAndLostAreAnsweredFromTheBoard(t *testing.T) {
	g := NewWithT(t)
	f := startFleet(t, "--lease-ttl", "10s") // a cell of a busy machine is not to be gone
	p := openPage(t, f.URL)
	p.await(allServe)
	flagged := func() int {
		events, err := f.Client().Events(context.Background(), client.EventQuery{Kinds: []string{string(model.EventStuckOpened)}})
		g.Expect(err).NotTo(HaveOccurred())
		hung := 0
		for _, event := range events {
			if event.Stuck.Kind == model.HandlerHung {
				hung++
			}
		}
		return hung
	}
	hung := `document.querySelector('.alert[data-kind="handler-hung"] [data-verb="%s"]')`

	f.Write("hang-2", "", 0o644)
	f.roll("answers")
	p.await(fmt.Sprintf(hung, model.Wait))
	p.answer(model.HandlerHung, model.Wait, "its peer is restarting", map[string]string{"#ask-longer": "1s"})
	// It hangs for that second too, and is flagged again.
	g.Eventually(flagged, patience).Should(Equal(2))
	g.Expect(os.Remove(f.Dir + "/hang-2")).To(Succeed())
	p.answer(model.HandlerHung, model.Retry, "its peer is back", nil)
	p.await(`document.querySelector('.plan[data-status="done"]') && document.getElementById("stuck").hidden`)
	g.Expect(f.Must("moor rolls")).To(MatchRegexp(`answers .*done +6/6`))

	f.Write("hang-2", "", 0o644)
	f.roll("skips")
	p.await(fmt.Sprintf(hung, model.Skip))
	p.answer(model.HandlerHung, model.Skip, "that host is replaced tomorrow", nil)
	p.await(`document.querySelectorAll('.plan[data-status="done"]').length === 2`)
	p.await(`document.querySelectorAll('.cell[data-look="skipped"]').length === 1`)
	g.Expect(f.Must("moor rolls")).To(MatchRegexp(`skips .*done +5/6`))

	// A cell goes and does not come back: its agent is stopped.
	gone := regexp.MustCompile(`cell-\d`).FindString(eval[string](p, `document.querySelector('.cell[data-look="skipped"]').dataset.id`))
	processes := f.Must(`moor dev processes | awk '$1 == "` + gone + `/cell" {for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]+$/) {print $i; exit}}'`)
	var pid int
	_, err := fmt.Sscan(processes, &pid)
	g.Expect(err).NotTo(HaveOccurred(), processes)
	g.Expect(syscall.Kill(pid, syscall.SIGSTOP)).To(Succeed())
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	p.await(`document.querySelector('.alert[data-kind="cell-gone"] [data-verb="lost"]')`)
	data := eval[[]string](p, `(() => { document.querySelector('.alert[data-kind="cell-gone"] [data-verb="lost"]').click(); const names = [...document.querySelectorAll("#dialog code")].map((code) => code.textContent); document.getElementById("dialog").close(); return names; })()`)
	g.Expect(data).To(ContainElement(ContainSubstring("ledger-data/2")))
	p.answer(model.CellGone, model.Lost, "the host burned down", map[string]string{"#ask-names": strings.Join(data, "\n")})
	p.await(`document.querySelector('.cell[data-id="` + gone + `"]')?.dataset.look === "lost"`)
	p.await(allServe)
	p.screenshot("lost")

	events, err := f.Client().Events(context.Background(), client.EventQuery{Kinds: []string{"stuck.answered"}, Actor: "Robin"})
	g.Expect(err).NotTo(HaveOccurred())
	for _, reason := range []string{"its peer is restarting", "its peer is back", "that host is replaced tomorrow", "the host burned down"} {
		g.Expect(events).To(ContainElement(HaveField("Reason", reason)))
	}
}
