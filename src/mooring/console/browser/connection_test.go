package browser

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestALostConnectionIsSaidAndMended(t *testing.T) {
	g := NewWithT(t)
	chromium(t)
	s := paperServer(t, records(6, &model.Stuck{ID: "s", Kind: model.HandlerHung, What: "it hangs", CellID: "cell-0001", Since: time.Now(), FlaggedAt: time.Now(), Answers: []model.Verb{model.Retry}}))
	p := openPage(t, s.url)
	p.await(`document.querySelector('.alert [data-verb="retry"]:not(:disabled)')`)
	g.Expect(p.text("#connection")).To(Equal("Live"))

	s.down()
	p.await(`document.querySelector("#connection").dataset.state === "stale"`)
	g.Expect(p.text("#stale")).To(MatchRegexp(`Connection lost. What you see is from \d\d:\d\d:\d\d, \d+ s ago.`))
	g.Expect(eval[bool](p, `document.querySelector('.alert [data-verb="retry"]').disabled`)).To(BeTrue(), "an answer to what may be over")
	p.screenshot("stale")

	// What happens meanwhile is shown once it is back, without a reload.
	eval[bool](p, `(window.same = true)`)
	s.change(&model.Stuck{ID: "s2", Kind: model.HandlerFailed, What: "it failed meanwhile", CellID: "cell-0002", Since: time.Now(), FlaggedAt: time.Now()},
		&model.Roll{Plan: "p", CellID: "cell-0003", Phase: model.Acting})
	s.up(t, strings.TrimPrefix(s.url, "http://"))
	p.await(`document.querySelector("#connection").dataset.state === "live"`)
	p.await(`document.querySelectorAll(".alert").length === 2`)
	p.await(`document.querySelector('.cell[data-id="cell-0003"]').dataset.look === "acting"`)
	g.Expect(eval[bool](p, `document.getElementById("stale").hidden && window.same`)).To(BeTrue())
	g.Expect(eval[bool](p, `document.querySelector('.alert [data-verb="retry"]').disabled`)).To(BeFalse())
}
