package orchestrator

import (
	"time"

	"mooring/estimate"
	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

// actor signs the events of this package.
const actor = "orchestrator"

// decide looks at everything once and says what to write. The transactions are
// all made on snap and touch different records, so they can be committed in
// any order; what had to be left out for that is decided on the next look.
// due is when time alone will change the answer, zero when it will not.
//
// via is how hosts are acted on by plans that do not say. began is since when
// somebody looks at all: what was so before that may have had no chance to show
// that it is so no more.
func decide(snap *state.Snapshot, now time.Time, via model.Via, began time.Time) (txns []*state.Txn, due time.Time) {
	d := newDecision(snap, now, via)
	d.began = began
	d.advancePermits()
	d.watchCells()
	d.carryOutAnswers()
	for _, plan := range snap.Plans() {
		if !plan.Finished() {
			d.advancePlan(plan)
		}
	}
	d.watchDirector()
	d.watchOthers()
	d.keepLearned()
	d.closeRecovered()
	return d.txns, d.due
}

// decision is one look at a snapshot.
type decision struct {
	snap *state.Snapshot
	now  time.Time
	via  model.Via
	// began is since when somebody looks.
	began time.Time
	// foresight: what is asked is how things will go, not what to do now.
	foresight bool

	txns    []*state.Txn
	touched map[string]bool
	due     time.Time

	// held lists the permits of each holder.
	held map[string][]holding
	// cordoning holds the rolls of the cells that this look cordons, by cell.
	cordoning map[string]*model.Roll
	crews     map[string]*lifecycle.Crew
	// leaving holds the cells that leave for good, each with its plan.
	leaving map[string]string
	// queued remembers what stands on the cells of rolls in the queue.
	queued map[*model.Roll][]*occupant
	// known is what is known of durations, those from since on above all;
	// learned is what this look adds to it for all hosts, nil for nothing.
	known   *estimate.Known
	since   time.Time
	learned *model.Durations
}

// holding is a permit with the app whose ledger it is in.
type holding struct {
	appGUID string
	permit  *model.Permit
}

// newForesight looks at a snapshot as it will be once what starts has started.
func newForesight(snap *state.Snapshot, now time.Time) *decision {
	d := newDecision(snap, now, model.Via{})
	d.foresight = true
	return d
}

func newDecision(snap *state.Snapshot, now time.Time, via model.Via) *decision {
	d := &decision{
		snap: snap, now: now, via: via,
		touched: map[string]bool{}, held: map[string][]holding{}, cordoning: map[string]*model.Roll{}, crews: map[string]*lifecycle.Crew{},
		queued: map[*model.Roll][]*occupant{}, leaving: snap.Leaving(),
	}
	for _, ledger := range snap.Ledgers() {
		for i := range ledger.Permits {
			permit := &ledger.Permits[i]
			d.held[permit.Holder] = append(d.held[permit.Holder], holding{ledger.AppGUID, permit})
		}
	}
	return d
}

// add takes a transaction, unless it changes a record that one taken earlier
// changes too: it would only be refused. Deciding again makes up for it. It
// reports whether it took it.
func (d *decision) add(tx *state.Txn) (taken bool) {
	if tx.Empty() {
		return false
	}
	puts, keys := tx.Changes()
	for _, rec := range puts {
		keys = append(keys, rec.Key())
	}
	for _, key := range keys {
		if d.touched[key] {
			return false
		}
	}
	for _, key := range keys {
		d.touched[key] = true
	}
	d.txns = append(d.txns, tx)
	return true
}

// lookAt asks for another look at a moment, and reports whether it has come.
func (d *decision) lookAt(moment time.Time) bool {
	if !d.now.Before(moment) {
		return true
	}
	if d.due.IsZero() || moment.Before(d.due) {
		d.due = moment
	}
	return false
}

// seen returns when a time of the state was, by the clock that now is by. Whoever
// compares a time with now, or with another one, asks it.
func (d *decision) seen(at time.Time) time.Time { return d.snap.Seen(at) }

// crew says how the members of an app stand, nil when there is no such app.
func (d *decision) crew(appGUID string) *lifecycle.Crew {
	crew, taken := d.crews[appGUID]
	if !taken {
		crew = d.snap.Crew(appGUID)
		d.crews[appGUID] = crew
	}
	return crew
}

// actualsOf gives what any cells report of one index of an app.
func (d *decision) actualsOf(appGUID string, index int) []*model.ActualInstance {
	var found []*model.ActualInstance
	for _, actual := range d.snap.ActualInstancesOf(appGUID) {
		if actual.Index == index {
			found = append(found, actual)
		}
	}
	return found
}
