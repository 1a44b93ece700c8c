package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// One policy may forbid a whole plan long before a handler hangs: that must not
// bury what is worse, nor be told once for each cell.
func TestTheWorstIsOnTopAndWhatIsAlikeIsOneCard(t *testing.T) {
	g := NewWithT(t)
	chromium(t)
	var output []string
	for i := range 20 {
		output = append(output, fmt.Sprintf("line %d", i+1))
	}
	name := &model.Name{Org: "acme", Space: "prod", Name: "redis"}
	began := time.Now().Add(-time.Hour)
	more := []model.Record{
		&model.Stuck{ID: "hung", Kind: model.HandlerHung, What: "the interrupt handler of acme/prod/redis/7 makes no progress", CellID: cellID(7), Plan: "p", App: name, Index: 7,
			Owner: "data team", Since: began.Add(time.Minute), FlaggedAt: began.Add(time.Minute), Output: output, Blocks: []string{cellID(7), cellID(8), cellID(9)}},
		&model.Stuck{ID: "gone", Kind: model.CellGone, What: "cell cell-0011 has gone without leave", CellID: cellID(11), Since: began.Add(2 * time.Minute), FlaggedAt: began.Add(2 * time.Minute)},
	}
	for i := range 6 {
		more = append(more, &model.Stuck{ID: fmt.Sprint("never-", i), Kind: model.PolicyForbids, What: fmt.Sprintf("cell %s can never be rolled", cellID(i)), Advice: "Ask data team to raise max_interrupted.",
			CellID: cellID(i), Plan: "p", App: name, AppGUID: "redis", Owner: "data team", Since: began, FlaggedAt: began})
	}
	s := paperServer(t, records(24, more...))
	p := openPage(t, s.url)
	p.await(`document.querySelectorAll(".alert").length === 3`)
	g.Expect(eval[string](p, `[...document.querySelectorAll(".alert")].map((card) => card.dataset.kind + " " + card.dataset.severity).join(", ")`)).
		To(Equal("cell-gone critical, handler-hung warning, policy-forbids info"))
	g.Expect(p.text(".alert[data-kind=policy-forbids]")).To(And(ContainSubstring("× 6"), ContainSubstring("6 cells alike. The first: Cell cell-0000 can never be rolled")))
	g.Expect(p.text("#stuck .note")).To(ContainSubstring("10 cells are held up"))
	g.Expect(p.text("#summary")).To(HavePrefix("8 stuck"))

	eval[bool](p, `(document.querySelectorAll(".alert:not([open]) summary").forEach((line) => line.click()), true)`)
	g.Expect(p.text(".alert[data-kind=policy-forbids] .facts")).To(ContainSubstring("cell-0005"), "each is one click away")
	last := eval[bool](p, `(() => { const box = document.querySelector(".output").getBoundingClientRect(), range = document.createRange(), text = document.querySelector(".output code").firstChild;
		range.setStart(text, text.length - 7); range.setEnd(text, text.length);
		const line = range.getBoundingClientRect(); return line.top >= box.top && line.bottom <= box.bottom; })()`)
	g.Expect(last).To(BeTrue(), "the newest line of output is in sight")
	p.screenshot("stuck-many")
	p.dark(true)
	p.screenshot("stuck-many-dark")
	p.dark(false)
	p.accessible("many alerts")

	// On the page of a cell its own is a card with its evidence.
	eval[bool](p, `(location.hash = "#/cell/cell-0003", true)`)
	p.await(`document.querySelectorAll(".alert").length === 1`)
	g.Expect(strings.Contains(p.text(".alert"), "alike")).To(BeFalse())

	// What is held up longer when the connection is lost, nobody knows.
	eval[bool](p, `(location.hash = "#/", true)`)
	s.down()
	p.await(`document.body.classList.contains("is-stale")`)
	shown := p.text(".alert-since")
	p.await(fmt.Sprintf(`performance.now() > %f`, eval[float64](p, `performance.now()`)+2500))
	g.Expect(p.text(".alert-since")).To(Equal(shown))
}

// Marks that turn the direction of a text are shown, not obeyed.
func TestPage_NothingActsOnIt(t *testing.T) {
	g := NewWithT(t)
	chromium(t)
	began := time.Now().Add(-time.Hour)
	evil := "cell-0001 \u202ekcuts si\u009b2J"
	s := paperServer(t, records(24, &model.Stuck{ID: "evil", Kind: model.CellGone, What: evil, Advice: evil, Owner: evil, Error: evil, CellID: cellID(1), Since: began, FlaggedAt: began}))
	p := openPage(t, s.url)
	p.await(`document.querySelectorAll(".alert").length === 1`)
	g.Expect(p.text(".alert")).To(ContainSubstring(`\u202ekcuts si\u009b2J`))
	g.Expect(eval[bool](p, `/[\u0080-\u009f\u202a-\u202e]/.test(document.documentElement.outerHTML + document.title)`)).To(BeFalse())
}
