package browser

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// tabTo presses Tab until something has the focus.
func (p *page) tabTo(selector string) {
	p.t.Helper()
	for range 40 {
		p.press("Tab")
		if eval[bool](p, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			if !eval[bool](p, `(() => { const style = getComputedStyle(document.activeElement); return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2; })()`) {
				p.t.Errorf("nobody can see that %s has the focus", selector)
			}
			return
		}
	}
	p.must("Tab to "+selector, errors.New("not reached with 40 presses"))
}

func TestAnAnswerIsGivenByKeyboardAlone(t *testing.T) {
	g := NewWithT(t)
	chromium(t)
	answers := make(chan model.Answer, 1)
	s := paperServer(t, records(6, &model.Stuck{ID: "s", Kind: model.HandlerHung, What: "it hangs", CellID: "cell-0001", Plan: "p", Since: time.Now(), FlaggedAt: time.Now(),
		Answers: []model.Verb{model.Wait, model.Retry, model.Skip}}))
	s.answer = func(body []byte) (int, string) {
		var answer model.Answer
		if json.Unmarshal(body, &answer) != nil {
			return 400, `{"title":"Bad Request"}`
		}
		answers <- answer
		return 200, `{}`
	}
	p := openPage(t, s.url)
	p.await(`document.querySelector('.alert [data-verb="retry"]:not(:disabled)')`)

	p.tabTo(`[data-verb="skip"]`)
	p.press("Enter")
	p.await(`document.getElementById("dialog").open && document.activeElement.id === "ask-reason"`)
	p.press("Escape")
	p.await(`!document.getElementById("dialog").open`)
	g.Expect(eval[string](p, `document.activeElement.dataset.verb`)).To(Equal("skip"), "the focus is back where it was")

	// While things change around it, the focus stays.
	s.change(&model.Roll{Plan: "p", CellID: "cell-0003", Phase: model.Acting},
		&model.Stuck{ID: "t", Kind: model.HandlerHung, What: "another hangs", CellID: "cell-0002", Since: time.Now(), FlaggedAt: time.Now().Add(time.Second)})
	p.await(`document.querySelectorAll(".alert").length === 2`)
	g.Expect(eval[string](p, `document.activeElement.dataset.verb`)).To(Equal("skip"))

	p.press("Enter")
	p.await(`document.getElementById("dialog").open`)
	p.keys("that host is replaced tomorrow")
	p.press("Tab")
	p.keys("Robin")
	p.press("Enter")
	g.Eventually(answers, patience).Should(Receive(Equal(model.Answer{Verb: model.Skip, Reason: "that host is replaced tomorrow", By: "Robin"})))
	p.await(`!document.getElementById("dialog").open`)
}
