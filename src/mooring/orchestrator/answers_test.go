package orchestrator

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/state"
)

// What an answer gives up is looked at when it is carried out, not only when it
// was given.
func TestAnAnswerIsHeldAgainstTheDataThereIsNow(t *testing.T) {
	g := NewWithT(t)
	set := &model.VolumeSet{GUID: "set", Name: model.Name{Org: "o", Space: "s", Name: "db"}}
	alert := &model.Stuck{ID: "cell.c1", Kind: model.CellGone, CellID: "c1", Data: []string{"o/s/db/0"}, Answers: []model.Verb{model.Lost},
		Answer: &model.Answer{Verb: model.Lost, Reason: "it burned", Confirm: []string{"o/s/db/0"}}}
	volume := func(index int) *model.Volume {
		return &model.Volume{GUID: string(rune('a' + index)), SetGUID: "set", Index: index, CellID: "c1", Mounted: true}
	}
	decide := func(records ...model.Record) *decision {
		return newDecision(state.SnapshotOf(append(records, set, alert)...), time.Unix(0, 0), model.Via{})
	}
	g.Expect(decide(volume(0)).checkAnswer(alert)).To(Succeed())
	g.Expect(decide(volume(0), volume(1)).checkAnswer(alert)).To(MatchError("lost would lose the data of o/s/db/1, which the answer does not name"))
}
