package browser

import (
	_ "embed"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// audit gives what of a page cannot be read or used by everybody.
//
//go:embed testdata/audit.js
var audit string

// accessible fails the test for each thing on the page that a screen reader
// cannot name, that has too little contrast in light or dark, or that is out
// of order.
func (p *page) accessible(where string) {
	p.t.Helper()
	for _, dark := range []bool{false, true} {
		p.dark(dark)
		for _, fault := range eval[[]string](p, audit) {
			p.t.Errorf("%s (dark: %t): %s", where, dark, fault)
		}
	}
	p.dark(false)
}

// The audit itself sees what it is there for.
func TestTheAuditFindsWhatIsPlanted(t *testing.T) {
	g := NewWithT(t)
	chromium(t)
	p := openPage(t, `data:text/html,<html lang=en><title>t</title><main><h1>One</h1><h3>Three</h3>
		<button></button><input><div role=img></div><a href=x aria-labelledby=nowhere></a><b tabindex=3>b</b><i id=a></i><i id=a></i>
		<p style="color:%23999;background:%23fff">faint</p><p style="color:%23777;background:linear-gradient(%23fff,%23888)">on a gradient</p>
		<p style="color:%23000;background:%23fff">fine</p><p style="color:%23000;background:%23fff;opacity:0.3">faded</p><button disabled style="color:%23ccc">off</button>`)
	g.Expect(eval[[]string](p, audit)).To(ConsistOf(
		ContainSubstring("h3 after h1"),
		ContainSubstring("no name: <button>"), ContainSubstring("no name: <input>"), ContainSubstring("no name: <div role"), ContainSubstring("no name: <a href"),
		ContainSubstring("nowhere"), ContainSubstring("tabindex 3"), ContainSubstring("id a"),
		ContainSubstring("contrast 2.85 of faint"), ContainSubstring("of on a gradient"), ContainSubstring("of faded"),
	))
}

// A cell in every look, with an instance in every standing, large enough to
// show all of it, then as small as in a large fleet.
func TestEveryLookIsReadable(t *testing.T) {
	g := NewWithT(t)
	chromium(t)
	const cells = 15
	s := paperServer(t, records(cells))
	for i, phase := range model.Phases {
		s.change(&model.Roll{Plan: "p", CellID: cellID(i), Phase: phase, Timeline: []model.Entry{{Phase: phase, At: time.Now().Add(-time.Minute)}}})
	}
	next := len(model.Phases)
	g.Expect(next).To(BeNumerically("<", cells-1))
	s.change(
		&model.Roll{Plan: "p", CellID: cellID(next), Phase: model.Interrupting, StuckID: "s", Timeline: []model.Entry{{Phase: model.Interrupting, At: time.Now()}}},
		&model.Stuck{ID: "s", Kind: model.HandlerHung, What: "it hangs", CellID: cellID(next), Plan: "p", Since: time.Now(), FlaggedAt: time.Now(), Output: []string{"hm"}, Answers: []model.Verb{model.Force}, Data: []string{"acme/prod/redis/1"},
			Effects: map[model.Verb]string{model.Force: "The data of acme/prod/redis/1 is lost."}},
		&model.Stuck{ID: "t", Kind: model.HandlerHung, What: "it hung", CellID: cellID(next), Since: time.Now(), FlaggedAt: time.Now(), Answer: &model.Answer{Verb: model.Retry, By: "Robin", Reason: "why not", At: time.Now()}},
		&model.Cell{ID: cellID(next + 1), AZ: "z1", Domain: 1, Lost: true},
		&model.Instance{AppGUID: "redis", Index: 0, Placement: model.Placement{GUID: "g0", CellID: cellID(0)}, Next: &model.Placement{GUID: "n", CellID: cellID(6)}},
		&model.Ledger{AppGUID: "redis", Permits: []model.Permit{{ID: "p", Index: 1, Kind: model.Interrupt, Step: model.StepAway, CellID: cellID(1)}}},
		&model.ActualInstance{AppGUID: "redis", Index: 2, CellID: cellID(2), GUID: "g2", State: model.Crashed})
	p := openPage(t, s.url)
	p.await(`document.querySelectorAll(".alert").length === 2`)
	p.await(fmt.Sprintf(`new Set([...document.querySelectorAll(".cell")].map((cell) => cell.dataset.look)).size === %d`, len(model.Phases)+2))
	p.screenshot("every-look")
	p.accessible("every look")
	for _, size := range []string{"medium", "small", "tiny"} {
		eval[bool](p, `(document.getElementById("zones").dataset.size = "`+size+`", true)`)
		p.accessible("every look, " + size)
	}
}
