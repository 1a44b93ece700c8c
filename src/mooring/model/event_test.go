package model

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestEveryKindOfEventIsListedOnceAndIsOfAFamily(t *testing.T) {
	g := NewWithT(t)
	g.Expect(eventKinds).To(HaveLen(len(EventKinds)), "a kind is listed twice")
	for _, row := range EventKinds {
		g.Expect(string(row.Kind)).To(MatchRegexp(`^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$`))
		g.Expect(row.Means).NotTo(BeEmpty(), string(row.Kind))
		g.Expect(EventsOf(row.Kind.Family())).To(ContainElement(row.Kind))
	}
	g.Expect(EventFamilies()).To(ContainElements("plan", "volume", "volume-set"))
	g.Expect(EventsOf("plan.started")).To(BeEmpty(), "a kind is no family")
}

// Whatever a roll, a permit or a plan comes to is told of.
func TestPhasesStepsAndStatesHaveEvents(t *testing.T) {
	g := NewWithT(t)
	for _, phase := range append([]Phase{RollSkipped, RollAborted}, Phases...) {
		g.Expect(phase.Event().Known()).To(BeTrue(), string(phase.Event()))
	}
	for _, step := range Steps {
		g.Expect(step.Event().Known()).To(BeTrue(), string(step.Event()))
	}
	for _, status := range []PlanStatus{PlanRunning, PlanPaused, PlanAborted, PlanDone} {
		g.Expect(status.Event().Known()).To(BeTrue(), string(status.Event()))
	}
	g.Expect(Quiesced.Event()).To(Equal(EventKind("roll.quiesced")))
	g.Expect(EventPermitReleased).To(Equal(StepReleased.Event()))
}

// What an earlier version wrote is kept for a while, and asked for by its name.
func TestKindsThatWereWrittenBeforeAreStillKnown(t *testing.T) {
	for _, kind := range []EventKind{"plan.started", "plan.paused", "plan.resumed", "plan.aborted", "app.deleted", "volume-set.deleted"} {
		NewWithT(t).Expect(kind.Known()).To(BeTrue(), string(kind))
	}
}

func TestTheDocumentationListsEveryKindOfEvent(t *testing.T) {
	g := NewWithT(t)
	page, err := os.ReadFile("../../../docs/events.md")
	g.Expect(err).NotTo(HaveOccurred())
	var wanted []string
	for _, row := range EventKinds {
		wanted = append(wanted, fmt.Sprintf("| `%s` | %s |", row.Kind, row.Means))
	}
	g.Expect(strings.Join(regexp.MustCompile("(?m)^\\| `.*$").FindAllString(string(page), -1), "\n")).To(Equal(strings.Join(wanted, "\n")))
}
