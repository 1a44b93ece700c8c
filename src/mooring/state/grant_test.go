package state

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestGrantGivesAllOfAClaim(t *testing.T) {
	g := NewWithT(t)
	claim := interrupts(model.RollHolder("plan", cellName(1)), 3, 1, "a", "b")
	claim.Demands[1].Force = true // of b alone
	claim.Extra, claim.ExpectedBack = model.Duration(time.Minute), model.Duration(time.Hour)
	s := SnapshotOf(append(append(append(serving(app("a", 3)), serving(app("b", 2))...), present(3)...), claim)...)

	tx, verdict := s.Grant(claim.Holder, now)
	g.Expect(verdict.Granted).To(BeTrue())
	after := s.Apply(tx)
	g.Expect(after.Claim(claim.Holder)).To(BeNil())
	ids := map[string]bool{}
	for _, guid := range []string{"a", "b"} {
		permits := after.Ledger(guid).Permits
		g.Expect(permits).To(HaveLen(1))
		ids[permits[0].ID] = true
		permits[0].ID = ""
		g.Expect(permits[0]).To(Equal(model.Permit{
			Index: 1, Kind: model.Interrupt, Reason: model.ReasonRoll, Action: model.Recreate, Holder: claim.Holder,
			CellID: cellName(1), Step: model.StepGranted, Want: model.WantOut, Force: guid == "b",
			Extra: claim.Extra, ExpectedBack: claim.ExpectedBack, Times: map[model.Step]time.Time{model.StepGranted: now},
		}))
		g.Expect(s.Ledger(guid).Permits).To(BeEmpty(), "the snapshot is as it was")
	}
	g.Expect(ids).To(HaveLen(2), "each permit has an ID of its own")

	events := after.Events("", 0)
	g.Expect(kinds(events)).To(Equal([]string{"permit.granted", "permit.granted"}))
	g.Expect(events[0].Text).To(Equal("the roll of cell-1 in plan plan may interrupt acme/prod/a/1"))
	g.Expect(events[0].Actor).To(Equal("orchestrator"))
	g.Expect(events[0].Plan).To(Equal("plan"))
	g.Expect(events[0].App).To(Equal("acme/prod/a"))
	g.Expect(events[0].CellID).To(Equal(cellName(1)))
	g.Expect(*events[0].Index).To(Equal(1))
}

func TestGrantRefusesWhatOneAppForbids(t *testing.T) {
	g := NewWithT(t)
	claim := interrupts("roll:p/c", 3, 0, "a", "b")
	busy := &model.Ledger{AppGUID: "b", Permits: []model.Permit{{ID: "p", Index: 1, Kind: model.Interrupt, Holder: "other", CellID: cellName(1), Want: model.WantOut, Step: model.StepRunning}}}
	s := SnapshotOf(append(append(append(serving(app("a", 3)), serving(app("b", 3))...), present(3)...), claim, busy)...)
	tx, verdict := s.Grant(claim.Holder, now)
	g.Expect(tx).To(BeNil())
	g.Expect(verdict.Blockers).To(HaveLen(1))
	g.Expect(verdict.Blockers[0].AppGUID).To(Equal("b"))

	tx, verdict = s.Grant("nobody", now)
	g.Expect(tx).To(BeNil())
	g.Expect(verdict.Granted).To(BeFalse())
	g.Expect(verdict.Blockers[0].Text).To(ContainSubstring("nobody has no claim"))
}

func TestGrantHonoursTheLine(t *testing.T) {
	g := NewWithT(t)
	first, second := interrupts("first", 5, 0, "a", "b"), interrupts("second", 6, 1, "a")
	busy := &model.Ledger{AppGUID: "b", Permits: []model.Permit{{ID: "p", Index: 1, Kind: model.Interrupt, Holder: "other", CellID: cellName(1), Want: model.WantOut, Step: model.StepRunning}}}
	records := append(append(append(serving(app("a", 3)), serving(app("b", 3))...), present(3)...), first, second, busy)
	tx, verdict := SnapshotOf(records...).Grant("second", now)
	g.Expect(tx).To(BeNil(), "the first waits for the same budget")
	g.Expect(verdict.Blockers[0].Ahead).To(Equal([]string{"first"}))

	first.Aside = true
	tx, _ = SnapshotOf(records...).Grant("second", now)
	g.Expect(tx).NotTo(BeNil(), "a stuck claim lets others pass")
}

// A grant stands on everything its judgement looked at: whatever of it changes
// between the snapshot and the commit, nothing is granted.
func TestGrantIsRefusedWhenWhatItJudgedHasChanged(t *testing.T) {
	tightened := app("b", 3)
	tightened.Policy.MaxInterrupted = model.Limit{}
	for name, meanwhile := range map[string]func(*testing.T, *Store){
		"a policy": func(t *testing.T, s *Store) { put(t, s, tightened) },
		"an instance crashes": func(t *testing.T, s *Store) {
			put(t, s, &model.ActualInstance{AppGUID: "b", Index: 2, CellID: cellName(2), State: model.Crashed})
		},
		"an instance moves": func(t *testing.T, s *Store) { put(t, s, &model.Instance{AppGUID: "b", Index: 2}) },
		"a report goes away": func(t *testing.T, s *Store) {
			tx := s.Snapshot().Txn()
			tx.Delete(&model.ActualInstance{AppGUID: "b", Index: 2, CellID: cellName(2)})
			_, err := s.Commit(t.Context(), tx)
			NewWithT(t).Expect(err).NotTo(HaveOccurred())
		},
		"a permit elsewhere": func(t *testing.T, s *Store) {
			put(t, s, &model.Ledger{AppGUID: "b", Permits: []model.Permit{{ID: "p", Index: 2}}})
		},
		"the claim is withdrawn": func(t *testing.T, s *Store) {
			tx := s.Snapshot().Txn()
			tx.Delete(&model.Claim{Holder: "h"})
			_, err := s.Commit(t.Context(), tx)
			NewWithT(t).Expect(err).NotTo(HaveOccurred())
		},
		"a cell is declared lost": func(t *testing.T, s *Store) { put(t, s, &model.Cell{ID: cellName(2), Lost: true}) },
		"a cell goes silent": func(t *testing.T, s *Store) {
			_, err := raw(t).Revoke(t.Context(), s.Snapshot().find("presence/"+cellName(2)).lease)
			NewWithT(t).Expect(err).NotTo(HaveOccurred())
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := open(t, prefixOf(t))
			join(t, s, 3)
			put(t, s, append(append(serving(app("a", 3)), serving(app("b", 3))...), interrupts("h", 1, 0, "a", "b"))...)
			tx, verdict := s.Snapshot().Grant("h", now)
			g.Expect(verdict.Granted).To(BeTrue())
			meanwhile(t, s)
			_, err := s.Commit(t.Context(), tx)
			g.Expect(err).To(MatchError(ErrConflict))
			g.Expect(s.Snapshot().Ledger("a").Permits).To(BeEmpty(), "nor is the part that did not change")
			g.Expect(s.Snapshot().Events("", 0)).To(BeEmpty())
		})
	}
}

func TestGrantLeavesRoomForTheCallersOwnWrites(t *testing.T) {
	g := NewWithT(t)
	s := open(t, prefixOf(t))
	join(t, s, 2)
	put(t, s, append(serving(app("a", 2)), interrupts("roll:p/cell-0", 1, 0, "a"))...)
	tx, _ := s.Snapshot().Grant("roll:p/cell-0", now)
	tx.Put(&model.Roll{Plan: "p", CellID: cellName(0), Phase: model.Interrupting})
	_, err := s.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Snapshot().Ledger("a").Permit(0)).NotTo(BeNil())
	g.Expect(s.Snapshot().RollOn(cellName(0)).Phase).To(Equal(model.Interrupting))
}
