package browser

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// allServe is true when the fleet's three apps serve fully and are shown so.
const allServe = `document.querySelector("#apps .note")?.innerText.startsWith("3 of 3 apps serve fully")`

func TestARollIsWatchedToItsEnd(t *testing.T) {
	g := NewWithT(t)
	f := startFleet(t)
	p := openPage(t, f.URL)
	p.await(`document.querySelectorAll(".cell").length === 6`)
	p.await(allServe)
	g.Expect(p.text("#summary")).To(Equal("6 cells · no plan running · nothing stuck"))
	g.Expect(eval[int](p, `document.querySelectorAll('.cell .mark-dot[data-volume="fixed"]').length`)).To(Equal(6))
	g.Expect(eval[int](p, `document.querySelectorAll('.cell .mark-dot[data-volume="floating"]').length`)).To(Equal(3))
	p.screenshot("fleet-at-rest")
	p.dark(true)
	p.screenshot("fleet-at-rest-dark")
	p.dark(false)

	// Every look that any square has had.
	eval[bool](p, `(() => {
		window.seen = new Set();
		const watch = () => { for (const cell of document.querySelectorAll(".cell")) seen.add(cell.dataset.look); };
		new MutationObserver(watch).observe(document.getElementById("zones"), {subtree: true, attributes: true, attributeFilter: ["data-look"]});
		return true;
	})()`)
	f.roll("stemcell-1")
	p.await(`document.querySelector('.plan[data-status="running"] [data-look="done"]')`)
	p.await(`document.querySelector(".plan-foot")?.innerText.includes("Ends")`)
	p.await(`document.querySelector(".course .course-ended")`)
	p.screenshot("roll-under-way")
	p.await(`document.querySelectorAll('.cell[data-look="done"]').length === 6`)
	p.await(`document.querySelector('.plan[data-status="done"]')`)
	p.await(allServe)
	p.screenshot("roll-done")
	seen := eval[[]string](p, `[...seen]`)
	g.Expect(seen).To(ContainElements("queued", "interrupting", "settling", "done"))
	g.Expect(seen).NotTo(ContainElement("stuck"))
	g.Expect(eval[string](p, `document.getElementById("news").textContent`)).To(ContainSubstring("Plan stemcell-1 is done"))

	// The pages tell the same story.
	eval[bool](p, `(location.hash = "#/plan/stemcell-1", true)`)
	p.await(`document.querySelectorAll("#page .roll").length === 6`)
	g.Expect(eval[[]string](p, `[...document.querySelectorAll("#page .roll .badge")].map((node) => node.innerText.trim())`)).To(HaveEach(ContainSubstring("done")))
	g.Expect(eval[int](p, `document.querySelectorAll("#page .track span[data-look=interrupting]").length`)).To(BeNumerically(">=", 6))
	p.screenshot("plan-page")
	p.accessible("plan page")
	eval[bool](p, `(document.querySelector("#page .roll-cell").click(), true)`)
	p.await(`document.querySelector("#page .steps .current")?.innerText.includes("done")`)
	g.Expect(p.text("#page")).To(ContainSubstring("default/default/ledger"))
	g.Expect(p.text("#page-head h1 + .badge")).To(ContainSubstring("done"))
	p.screenshot("cell-page")
	p.accessible("cell page")
	eval[bool](p, `(location.hash = "#/app/default/default/ledger", true)`)
	p.await(`document.querySelectorAll("#page tbody tr").length === 6`)
	g.Expect(strings.Fields(p.text("#page .facts"))).To(ContainElements("#ledger", "interrupted,"))
	p.screenshot("app-page")
	p.accessible("app page")
}

func TestTheBoardIsUsedByKeyboardAlone(t *testing.T) {
	g := NewWithT(t)
	f := startFleet(t)
	p := openPage(t, f.URL)
	p.await(`document.querySelectorAll(".cell").length === 6`)
	p.await(allServe)
	g.Expect(eval[int](p, `document.querySelectorAll('.cell[tabindex="0"]').length`)).To(Equal(1), "the squares are one stop on the way")
	eval[bool](p, `(document.querySelector('.cell[tabindex="0"]').focus(), true)`)
	first := eval[string](p, `document.activeElement.dataset.id`)
	p.press("ArrowRight")
	second := eval[string](p, `document.activeElement.dataset.id`)
	g.Expect(second).NotTo(Equal(first))
	g.Expect(eval[string](p, `document.activeElement.getAttribute("aria-label")`)).To(MatchRegexp(`^cell-\d, AZ z1, domain \d, no plan, instances: \d serving, volumes: 1 fixed`))
	p.press("Enter")
	p.await(`location.hash === "#/cell/` + second + `" && document.querySelector("#page-head h1")?.innerText === "` + second + `"`)
	p.press("/")
	g.Expect(eval[string](p, `document.activeElement.id`)).To(Equal("goto-name"))
	for _, letter := range "ledger" {
		p.press(string(letter))
	}
	p.press("Enter")
	p.await(`location.hash === "#/app/default/default/ledger"`)
}
