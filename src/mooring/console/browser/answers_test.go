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

// answer gives an answer from the board, as a person with a mouse would.
func (p *page) answer(verb model.Verb, reason string, typed map[string]string) {
	p.t.Helper()
	button := fmt.Sprintf(`.alert [data-verb=%q]`, verb)
	p.await(fmt.Sprintf(`document.querySelector('%s:not(:disabled)')`, button))
	eval[bool](p, fmt.Sprintf(`(document.querySelector('%s').click(), true)`, button))
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
	f := startFleet(t, "--lease-ttl", "2s")
	p := openPage(t, f.URL)
	p.await(allServe)
	flagged := func() int {
		events, err := f.Client().Events(context.Background(), client.EventQuery{Kinds: []string{string(model.EventStuckOpened)}})
		g.Expect(err).NotTo(HaveOccurred())
		return len(events)
	}
	hung := `document.querySelector('.alert[data-kind="handler-hung"] [data-verb="%s"]')`

	f.Write("hang-2", "", 0o644)
	f.roll("answers")
	p.await(fmt.Sprintf(hung, model.Wait))
	p.answer(model.Wait, "its peer is restarting", map[string]string{"#ask-longer": "1s"})
	// It hangs for that second too, and is flagged again.
	g.Eventually(flagged, patience).Should(Equal(2))
	g.Expect(os.Remove(f.Dir + "/hang-2")).To(Succeed())
	p.answer(model.Retry, "its peer is back", nil)
	p.await(`document.querySelector('.plan[data-status="done"]') && document.getElementById("stuck").hidden`)
	g.Expect(f.Must("moor rolls")).To(MatchRegexp(`answers .*done +6/6`))

	f.Write("hang-2", "", 0o644)
	f.roll("skips")
	p.await(fmt.Sprintf(hung, model.Skip))
	p.answer(model.Skip, "that host is replaced tomorrow", nil)
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
	data := eval[[]string](p, `(() => { document.querySelector('.alert [data-verb="lost"]').click(); const names = [...document.querySelectorAll("#dialog code")].map((code) => code.textContent); document.getElementById("dialog").close(); return names; })()`)
	g.Expect(data).To(ContainElement(ContainSubstring("ledger-data/2")))
	p.answer(model.Lost, "the host burned down", map[string]string{"#ask-names": strings.Join(data, "\n")})
	p.await(`document.querySelector('.cell[data-id="` + gone + `"]')?.dataset.look === "lost"`)
	p.await(allServe)
	p.screenshot("lost")

	events, err := f.Client().Events(context.Background(), client.EventQuery{Kinds: []string{"stuck.answered"}, Actor: "Robin"})
	g.Expect(err).NotTo(HaveOccurred())
	for _, reason := range []string{"its peer is restarting", "its peer is back", "that host is replaced tomorrow", "the host burned down"} {
		g.Expect(events).To(ContainElement(HaveField("Reason", reason)))
	}
}
