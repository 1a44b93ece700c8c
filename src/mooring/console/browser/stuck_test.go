package browser

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

// shownAt makes the page note when it first shows an alert of a kind.
func shownAt(p *page, kind string) {
	eval[bool](p, `(() => {
		const look = () => { if (!window.shownAt && document.querySelector('.alert[data-kind="`+kind+`"]')?.checkVisibility()) window.shownAt = Date.now(); };
		new MutationObserver(() => requestAnimationFrame(look)).observe(document.getElementById("stuck"), {subtree: true, childList: true, attributes: true});
		return true;
	})()`)
}

func TestAHungHandlerIsShownAtOnceAndForcedFromTheBoard(t *testing.T) {
	g := NewWithT(t)
	f := startFleet(t)
	api := f.Client()
	p := openPage(t, f.URL)
	p.await(`document.querySelectorAll(".cell").length === 6`)
	p.await(allServe)
	shownAt(p, "handler-hung")
	f.Write("hang-2", "", 0o644)
	f.roll("stemcell-2")
	p.await(`window.shownAt`)

	stuck, err := api.Stuck(context.Background())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(stuck).To(HaveLen(1))
	delay := time.UnixMilli(eval[int64](p, `window.shownAt`)).Sub(stuck[0].FlaggedAt)
	t.Logf("shown %s after it was flagged", delay.Round(time.Millisecond))
	if waiting := runnablePerCore(); delay >= 2*time.Second && waiting > 2 {
		t.Logf("%.1f processes wait for each core of this machine: how long the browser took says nothing about the page", waiting)
	} else {
		g.Expect(delay).To(BeNumerically("<", 2*time.Second))
	}

	card := p.text(".alert")
	for _, evidence := range []string{"default/default/ledger/2", "ledger team, #ledger", "stemcell-2", "while interrupting", "31 %", "5300 of 16384 slots moved", "connecting to the peer at 127.83.0.4:10007: no answer", "still for",
		"Holds up\nno other cell", "is stopped without its handler"} {
		g.Expect(card).To(ContainSubstring(evidence))
	}
	g.Expect(p.text(".cell[data-look=stuck]")).To(ContainSubstring("stuck, interrupting"))
	g.Expect(eval[string](p, `document.title`)).To(HavePrefix("(1!)"))
	g.Expect(eval[string](p, `document.getElementById("alarms").textContent`)).To(ContainSubstring("Stuck: "))
	p.screenshot("stuck")
	p.dark(true)
	p.screenshot("stuck-dark")
	p.dark(false)
	p.accessible("something stuck")
	// Its cell's page says why, down to whom to call.
	eval[bool](p, `(document.querySelector(".cell[data-look=stuck]").click(), true)`)
	p.await(`document.querySelector('.why[data-moving="false"] .cause')?.innerText.includes("Call ledger team, #ledger")`)
	p.screenshot("stuck-cell-page")
	p.accessible("page of a stuck cell")
	eval[bool](p, `(location.hash = "#/plan/stemcell-2", true)`)
	p.await(`document.querySelector("#page .chain")?.textContent.includes("Plan stemcell-2 is running")`)
	eval[bool](p, `(location.hash = "#/", true)`)

	// Without a reason nothing is sent.
	eval[bool](p, `(document.querySelector('.alert [data-verb="force"]').click(), true)`)
	p.await(`document.getElementById("dialog").open`)
	eval[bool](p, `(document.querySelector("#dialog [type=submit]").click(), true)`)
	g.Expect(eval[bool](p, `document.getElementById("dialog").open && document.querySelector("#ask-reason").matches(":invalid")`)).To(BeTrue())
	p.fill("#ask-reason", "the peer is gone for good; agreed with the ledger team")
	p.fill("#ask-by", "Robin")
	p.screenshot("force")
	p.accessible("dialog")
	eval[bool](p, `(document.querySelector("#dialog [type=submit]").click(), true)`)
	p.await(`!document.getElementById("dialog").open`)
	p.await(`document.querySelector('.plan[data-status="done"]')`)
	p.await(`document.getElementById("stuck").hidden`)
	g.Expect(f.Must("moor rolls")).To(MatchRegexp(`stemcell-2 .*done +6/6`))

	events, err := api.Events(context.Background(), client.EventQuery{Plan: "stemcell-2", Limit: 1000})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(events).To(ContainElement(And(HaveField("Kind", model.EventStuckAnswered), HaveField("Actor", "Robin"),
		HaveField("Reason", "the peer is gone for good; agreed with the ledger team"))))

	// So does the board, among all that was decided.
	eval[bool](p, `(location.hash = "#/events", true)`)
	p.await(`document.querySelector("#filter-kind")`)
	g.Expect(eval[bool](p, `(() => { const what = document.getElementById("filter-kind"); what.focus(); what.value = "stuck.answered,stuck.refused"; return what.dispatchEvent(new Event("change")); })()`)).To(BeTrue())
	p.await(`location.hash.includes("kind=stuck.answered") && [...document.querySelectorAll(".event-kind")].every((kind) => kind.innerText.startsWith("stuck.")) && document.querySelector(".events .decided")`)
	decided := p.text(".events .decided")
	for _, said := range []string{"stuck.answered", "the peer is gone for good; agreed with the ledger team", "stemcell-2", "Robin"} {
		g.Expect(decided).To(ContainSubstring(said))
	}
	g.Expect(eval[string](p, `document.activeElement.id`)).To(Equal("filter-kind"), "where the viewer was")
	p.screenshot("events-page")
	p.accessible("events page")
}

func TestDataIsGivenUpOnlyWhenItsNameIsTyped(t *testing.T) {
	g := NewWithT(t)
	chromium(t)
	answers := make(chan model.Answer, 1)
	s := paperServer(t, records(6, &model.Stuck{
		ID: "p.cell-1.drain-impossible", Kind: model.DrainImpossible, What: "redis/1 is down and holds data", CellID: "cell-0001", Plan: "p",
		App: &model.Name{Org: "acme", Space: "prod", Name: "redis"}, Index: 1, Owner: "data team", Since: time.Now(), FlaggedAt: time.Now(),
		Data: []string{"acme/prod/redis/1"}, Answers: []model.Verb{model.Retry, model.Force, model.Skip},
		Effects: map[model.Verb]string{model.Force: "It is stopped; the data of acme/prod/redis/1 is lost."},
	}))
	s.answer = func(body []byte) (int, string) {
		var answer model.Answer
		if json.Unmarshal(body, &answer) != nil {
			return 400, `{"title":"Bad Request"}`
		}
		answers <- answer
		if answer.Reason == "too late" {
			return 409, `{"title":"Conflict","detail":"it was answered with skip by Kim"}`
		}
		return 200, `{}`
	}
	p := openPage(t, s.url)
	p.await(`document.querySelector('.alert [data-verb="force"]')`)
	eval[bool](p, `(document.querySelector('.alert [data-verb="force"]').click(), true)`)
	g.Expect(p.text("#dialog .effect")).To(Equal("It is stopped; the data of acme/prod/redis/1 is lost."))
	p.fill("#ask-reason", "too late")
	p.fill("#ask-by", "Robin")
	p.fill("#ask-names", "acme/prod/redis/2")
	submit := `(document.querySelector("#dialog [type=submit]").click(), true)`
	eval[bool](p, submit)
	g.Expect(eval[bool](p, `document.querySelector("#ask-names").matches(":invalid")`)).To(BeTrue())
	g.Expect(answers).To(BeEmpty())
	p.fill("#ask-names", "acme/prod/redis/1")
	p.screenshot("force-with-data")
	eval[bool](p, submit)
	g.Eventually(answers).Should(Receive(Equal(model.Answer{Verb: model.Force, Reason: "too late", By: "Robin", Confirm: []string{"acme/prod/redis/1"}})))
	// A refusal is said in the dialog, and what was typed is kept.
	p.await(`document.querySelector("#dialog .error")?.textContent === "it was answered with skip by Kim"`)
	p.fill("#ask-reason", "agreed with the data team")
	eval[bool](p, submit)
	g.Eventually(answers).Should(Receive(HaveField("Reason", "agreed with the data team")))
	p.await(`!document.getElementById("dialog").open`)
}

func TestAViewerWhoMayNotActIsOfferedNothing(t *testing.T) {
	g := NewWithT(t)
	chromium(t)
	s := paperServer(t, records(6, &model.Stuck{ID: "s", Kind: model.HandlerHung, What: "it hangs", CellID: "cell-0001", Answers: []model.Verb{model.Retry},
		Effects: map[model.Verb]string{model.Retry: "The handler is run again."}}))
	s.mayAct.Store(false)
	p := openPage(t, s.url)
	p.await(`document.querySelector(".alert")`)
	g.Expect(eval[int](p, `document.querySelectorAll(".alert button, .plan button").length`)).To(BeZero())
	g.Expect(p.text(".alert")).To(And(ContainSubstring("You may look, not answer"), ContainSubstring("The handler is run again.")), "what could be done is said")
	g.Expect(eval[bool](p, `document.getElementById("read-only").checkVisibility()`)).To(BeTrue())
	p.screenshot("read-only")
	p.accessible("read-only board")
}
