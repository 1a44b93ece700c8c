package state

import (
	"fmt"
	"testing"

	"mooring/model"
)

// BenchmarkSnapshot is what every read costs.
func BenchmarkSnapshot(b *testing.B) {
	s := open(b, prefixOf(b))
	put(b, s, serving(app("a", 6))...)
	b.ReportAllocs()
	for b.Loop() {
		s.Snapshot().Txn()
	}
}

// BenchmarkCommit is one small decision, from the snapshot until the mirror
// shows it.
func BenchmarkCommit(b *testing.B) {
	s := open(b, prefixOf(b))
	put(b, s, app("a", 1))
	for b.Loop() {
		tx := s.Snapshot().Txn()
		tx.Put(app("a", 1))
		tx.Event(model.Event{Kind: "app.scaled"})
		if _, err := s.Commit(b.Context(), tx); err != nil {
			b.Fatal(err)
		}
	}
}

// denseCell is a dense cell's worth of apps, each of six instances with one on
// cell 0, and a claim for everything on that cell.
func denseCell() ([]model.Record, *model.Claim) {
	var records []model.Record
	var guids []string
	for i := range 70 {
		guids = append(guids, fmt.Sprintf("app-%02d", i))
		records = append(records, serving(app(guids[i], 6))...)
	}
	return records, interrupts("roll:p/cell-0", 1, 0, guids...)
}

// BenchmarkGrant judges the claim for a dense cell.
func BenchmarkGrant(b *testing.B) {
	records, claim := denseCell()
	s := SnapshotOf(append(append(records, present(6)...), claim)...)
	b.ReportAllocs()
	for b.Loop() {
		if tx, verdict := s.Grant(claim.Holder, now); tx == nil {
			b.Fatal(verdict)
		}
	}
}

// BenchmarkGrantCommit grants the claim for a dense cell and gives it back.
func BenchmarkGrantCommit(b *testing.B) {
	s := open(b, prefixOf(b))
	join(b, s, 6)
	records, claim := denseCell()
	put(b, s, records...)
	for b.Loop() {
		b.StopTimer()
		tx := s.Snapshot().Txn()
		for _, demand := range claim.Demands {
			tx.Put(&model.Ledger{AppGUID: demand.AppGUID})
		}
		tx.Put(claim)
		if _, err := s.Commit(b.Context(), tx); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		tx, _ = s.Snapshot().Grant(claim.Holder, now)
		if _, err := s.Commit(b.Context(), tx); err != nil {
			b.Fatal(err)
		}
	}
}
