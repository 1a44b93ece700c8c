package console

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"mooring/model"
	"mooring/state"
)

// everything may be read.
func everything(model.Name) bool { return true }

// shown is what a page holds that applies messages.
type shown map[string]map[string]string

func (s shown) take(m *message) {
	for i, name := range sectionNames {
		key := []string{"id", "name", "name", "id"}[i]
		if m.Whole || s[name] == nil {
			s[name] = map[string]string{}
		}
		for _, item := range m.Put[name] {
			var named map[string]any
			if err := json.Unmarshal(item, &named); err != nil {
				panic(err)
			}
			s[name][named[key].(string)] = string(item)
		}
		for _, gone := range m.Gone[name] {
			delete(s[name], gone)
		}
	}
}

func whole(e *encoded) shown {
	s := shown{}
	m, _ := e.changes(nil, everything)
	s.take(m)
	return s
}

func TestOnlyWhatChangedIsSent(t *testing.T) {
	g := NewWithT(t)
	snap := state.SnapshotOf(fleet(4)...)
	first := encode(View(snap, nil), nil)
	same := encode(View(with(snap, &model.Presence{CellID: "cell-0", Boot: "b"}), nil), first)
	_, differs := same.changes(first, everything)
	g.Expect(differs).To(BeFalse(), "a change that is not to be seen is not sent")

	second := encode(View(with(snap, &model.Cordon{CellID: "cell-2"}, &model.Stuck{ID: "s"}), nil), first)
	m, differs := second.changes(first, everything)
	g.Expect(differs).To(BeTrue())
	g.Expect(m.Whole).To(BeFalse())
	g.Expect(m.Put["cells"]).To(HaveLen(1))
	g.Expect(string(m.Put["cells"][0])).To(ContainSubstring(`"cordoned":true`))
	g.Expect(m.Put["stuck"]).To(HaveLen(1))
	g.Expect(m.Put["apps"]).To(BeEmpty())

	back, _ := first.changes(second, everything)
	g.Expect(back.Gone).To(HaveKeyWithValue("stuck", []string{"s"}))
}

// Whatever happens, a page that took the whole board and then every change
// shows what a page shows that took the whole board just now.
func TestChangesAddUpToTheBoard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		snap := state.SnapshotOf(fleet(4)...)
		sent := encode(View(snap, nil), nil)
		page := whole(sent)
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			tx := snap.Txn()
			for _, cell := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"cell-0", "cell-1", "cell-2", "cell-3"}), rapid.ID[string]).Draw(t, "cells") {
				switch rapid.IntRange(0, 3).Draw(t, "change") {
				case 0:
					tx.Put(&model.Stuck{ID: cell, CellID: cell})
				case 1:
					if stuck := snap.StuckItem(cell); stuck != nil {
						tx.Delete(stuck)
					}
				case 2:
					if known := snap.Cell(cell); known != nil {
						tx.Delete(known)
					}
				case 3:
					tx.Put(&model.Cell{ID: cell, AZ: "z9", Domain: rapid.IntRange(0, 3).Draw(t, "domain")})
				}
			}
			snap = snap.Apply(tx)
			next := encode(View(snap, nil), sent)
			if m, differs := next.changes(sent, everything); differs {
				page.take(m)
			}
			sent = next
			g.Expect(page).To(Equal(whole(encode(View(snap, nil), nil))))
		}
	})
}
