package scheduler

import (
	"fmt"

	"mooring/model"
	"mooring/placement"
)

// assignDomains gives each cell that has none its update domain, for good.
func (r *round) assignDomains() {
	r.domains = map[string]int{}
	type part struct{ pool, az string }
	taken := map[part][]int{}
	var fresh []*model.Cell
	for _, cell := range r.snap.Cells() {
		if cell.Domain < 1 {
			fresh = append(fresh, cell)
			continue
		}
		at := part{model.Pooled(cell.Pool), cell.AZ}
		taken[at] = append(taken[at], cell.Domain)
	}
	for _, cell := range fresh {
		at := part{model.Pooled(cell.Pool), cell.AZ}
		assigned := *cell
		assigned.Domain = placement.NextDomain(taken[at], r.rules.Domains)
		taken[at] = append(taken[at], assigned.Domain)
		r.domains[cell.ID] = assigned.Domain
		tx := r.snap.Txn()
		tx.Put(&assigned)
		tx.Event(r.event("cell.domain-assigned", fmt.Sprintf("cell %s is in update domain %d of %s", cell.ID, assigned.Domain, cell.AZ), cell.ID))
		r.add(tx)
	}
}
