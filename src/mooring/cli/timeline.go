package cli

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"mooring/client"
	"mooring/model"
)

// fewCells are as many as are drawn one by one on a terminal; of more, each
// update domain is.
const fewCells = 60

// showTimeline draws when cells are expected to be in roll.
func (s *session) showTimeline(slots []client.Slot) error {
	if len(slots) == 0 {
		return nil
	}
	var end time.Duration
	for _, slot := range slots {
		end = max(end, slot.To.D())
	}
	s.say("")
	if len(slots) > fewCells {
		return s.showDomains(slots, end)
	}
	t := newTable(s.out, "cell", "from", "to", "")
	for _, slot := range slots {
		t.row(slot.CellID, slot.From, slot.To, bar(slot.From.D(), slot.To.D(), end))
	}
	return t.flush()
}

// showDomains draws when the first cell of each update domain starts and the
// last is done.
func (s *session) showDomains(slots []client.Slot, end time.Duration) error {
	type domain struct {
		az       string
		number   int
		cells    int
		from, to model.Duration
	}
	var domains []domain
	slots = slices.Clone(slots)
	slices.SortStableFunc(slots, func(a, b client.Slot) int { return cmp.Or(cmp.Compare(a.AZ, b.AZ), cmp.Compare(a.Domain, b.Domain)) })
	for _, slot := range slots {
		if last := len(domains) - 1; last < 0 || domains[last].az != slot.AZ || domains[last].number != slot.Domain {
			domains = append(domains, domain{az: slot.AZ, number: slot.Domain, from: slot.From})
		}
		d := &domains[len(domains)-1]
		d.cells, d.from, d.to = d.cells+1, min(d.from, slot.From), max(d.to, slot.To)
	}
	t := newTable(s.out, "az", "domain", "cells", "from", "to", "")
	for _, d := range domains {
		t.row(d.az, d.number, d.cells, d.from, d.to, bar(d.from.D(), d.to.D(), end))
	}
	return t.flush()
}

// barWidth is the width of a timeline in characters.
const barWidth = 40

// bar draws when something happens on the way to end.
func bar(from, to, end time.Duration) string {
	if end <= 0 {
		return ""
	}
	begin := int(int64(barWidth) * int64(from) / int64(end))
	width := max(1, int(int64(barWidth)*int64(to)/int64(end))-begin)
	return strings.Repeat(".", begin) + strings.Repeat("#", width) + strings.Repeat(".", max(0, barWidth-begin-width))
}
