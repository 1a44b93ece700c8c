package scheduler

import (
	"cmp"
	"slices"
	"time"

	"mooring/model"
	"mooring/placement"
	"mooring/state"
)

// Rules are the choices that are nobody's desired state.
type Rules struct {
	// Domains is how many update domains the cells of each AZ and pool are cut
	// into; 0 is placement.DefaultDomains.
	Domains int
	// Settled is when cells that are not present are given up on. Before it
	// they may just not have found the control plane again.
	Settled time.Time
}

// Decision is what is to be done now.
type Decision struct {
	// Txns are to be committed in order, each by itself.
	Txns []*state.Txn
	// Due is when to decide again though the state stays as it is; zero for
	// never.
	Due time.Time
}

// Decide says what to do about a snapshot. The same snapshot, time and rules
// give the same decision.
func Decide(snap *state.Snapshot, now time.Time, rules Rules) Decision {
	r := &round{snap: snap, now: now, rules: rules, calmCells: map[string]bool{}}
	r.rules.Domains = cmp.Or(rules.Domains, placement.DefaultDomains)
	r.assignSeats()
	units := r.units()
	for _, u := range units {
		if u.app != nil {
			r.tendApp(u.app)
		} else {
			r.tendSet(u.set)
		}
	}
	for _, set := range snap.VolumeSets() {
		r.clearEnded(set)
	}
	return Decision{Txns: r.txns, Due: r.due}
}

// round is one decision in the making.
type round struct {
	snap  *state.Snapshot
	now   time.Time
	rules Rules
	txns  []*state.Txn
	due   time.Time

	seats     map[string]placement.Seat // assigned in this round, by cell
	calmCells map[string]bool           // what calm has found out
	fleet     *fleet                    // built when something is to be placed
	leaving   map[string]string         // as the snapshot has it; nil before it was asked
}

// add hands in a transaction unless it would do nothing.
func (r *round) add(tx *state.Txn) {
	if !tx.Empty() {
		r.txns = append(r.txns, tx)
	}
}

// unit is what is decided as one: an app with the volume sets it mounts, or a
// volume set that no app mounts.
type unit struct {
	app *model.App
	set *model.VolumeSet
}

// units lists what there is to decide about, the least free first: fixed volumes, then
// floating ones, then instances that can go anywhere.
func (r *round) units() []unit {
	var ranked [3][]unit
	for _, set := range r.snap.VolumeSets() {
		if r.mounter(set) == nil {
			at := rank([]*model.VolumeSet{set})
			ranked[at] = append(ranked[at], unit{set: set})
		}
	}
	for _, app := range r.snap.Apps() {
		sets, _ := r.setsOf(app, &app.Spec)
		if r.atRest(app, sets) {
			continue
		}
		at := rank(sets)
		ranked[at] = append(ranked[at], unit{app: app})
	}
	return slices.Concat(ranked[0], ranked[1], ranked[2])
}

// rank tells how free what mounts the sets is to go anywhere: 0 on fixed
// volumes, 1 on floating ones, 2 on none.
func rank(sets []*model.VolumeSet) int {
	if len(sets) == 0 {
		return 2
	}
	for _, set := range sets {
		if !set.Floating {
			return 0
		}
	}
	return 1
}

// mounter gives the app that mounts a set, nil when there is none.
func (r *round) mounter(set *model.VolumeSet) *model.App {
	app := r.snap.App(set.AppGUID)
	if app == nil || app.Org != set.Org || app.Space != set.Space {
		return nil
	}
	for _, mount := range app.Spec.Mounts {
		if mount.VolumeSet == set.Name.Name {
			return app
		}
	}
	return nil
}

// setsOf gives the volume sets that a spec of an app mounts, in the order of
// the mounts, and why it cannot have them, "" when it can.
func (r *round) setsOf(app *model.App, spec *model.RunSpec) (sets []*model.VolumeSet, why string) {
	for _, mount := range spec.Mounts {
		name := model.Name{Org: app.Org, Space: app.Space, Name: mount.VolumeSet}
		set := r.snap.VolumeSetNamed(name)
		switch {
		case set == nil:
			why = cmp.Or(why, "volume set "+name.String()+" does not exist")
			continue
		case set.Deleting:
			why = cmp.Or(why, "volume set "+name.String()+" is being deleted")
		case set.AppGUID != app.GUID:
			why = cmp.Or(why, "volume set "+name.String()+" is not this application's")
		}
		sets = append(sets, set)
	}
	return sets, why
}

// givenUp reports whether a cell that is not present is not waited for.
func (r *round) givenUp(cellID string) bool {
	if r.snap.Present(cellID) {
		return false
	}
	return r.reached(r.rules.Settled)
}

// reached reports whether it is a time yet; if not, the round is taken again
// then.
func (r *round) reached(at time.Time) bool {
	if !r.now.Before(at) {
		return true
	}
	if r.due.IsZero() || at.Before(r.due) {
		r.due = at
	}
	return false
}

// lost reports whether a person declared a cell gone for good.
func (r *round) lost(cellID string) bool {
	cell := r.snap.Cell(cellID)
	return cell != nil && cell.Lost
}
