package scheduler

import (
	"reflect"
	"slices"

	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

// draft is one app as it is to be, with its instances, volumes and ledger:
// copied from the snapshot where it changes, and written as one transaction.
type draft struct {
	*round
	tx        *state.Txn
	app       *model.App
	instances map[int]*model.Instance
	volumes   map[slot]*model.Volume // those that are not ending
	byGUID    map[string]*model.Volume
	actuals   map[int][]*model.ActualInstance
	ledger    *model.Ledger
	crew      lifecycle.Crew
	touched   map[string]model.Record // by key; written if it came out different
	order     []string
}

// slot is the place of a volume in a set.
type slot struct {
	set   string // GUID
	index int
}

// maxWrites bounds one transaction: etcd takes it whole, and what is left is
// next. A new app of ten thousand instances comes in several.
const maxWrites = 2000

func (r *round) draft(app *model.App) *draft {
	d := &draft{
		round: r, tx: r.snap.Txn(), app: app,
		instances: map[int]*model.Instance{}, volumes: map[slot]*model.Volume{}, byGUID: map[string]*model.Volume{},
		actuals: map[int][]*model.ActualInstance{}, ledger: r.snap.Ledger(app.GUID),
		touched: map[string]model.Record{},
	}
	instances, actuals := r.snap.InstancesOf(app.GUID), r.snap.ActualInstancesOf(app.GUID)
	d.crew = lifecycle.Census(app, instances, actuals, d.ledger, r.snap.Present)
	for _, inst := range instances {
		d.instances[inst.Index] = inst
		for _, guid := range inst.Volumes {
			d.know(r.snap.Volume(guid))
		}
	}
	for _, actual := range actuals {
		d.actuals[actual.Index] = append(d.actuals[actual.Index], actual)
	}
	sets, _ := r.setsOf(app, &app.Spec)
	for _, set := range sets {
		for _, v := range r.snap.VolumesOf(set.GUID) {
			d.know(v)
		}
	}
	return d
}

func (d *draft) know(v *model.Volume) {
	if v == nil {
		return
	}
	d.byGUID[v.GUID] = v
	if !v.Ending {
		d.volumes[slot{v.SetGUID, v.Index}] = v
	}
}

// indexes lists the app's instances from the lowest index up.
func (d *draft) indexes() []int {
	list := make([]int, 0, len(d.instances))
	for i := range d.instances {
		list = append(list, i)
	}
	slices.Sort(list)
	return list
}

// full reports that the transaction is as large as it should get.
func (d *draft) full() bool { return len(d.order) >= maxWrites }

// touch notes that a record may have changed.
func (d *draft) touch(rec model.Record) {
	key := rec.Key()
	if _, again := d.touched[key]; !again {
		d.order = append(d.order, key)
	}
	d.touched[key] = rec
}

// put makes inst the instance of its index.
func (d *draft) put(inst *model.Instance) {
	d.instances[inst.Index] = inst
	d.touch(inst)
}

// edit gives a copy of an instance that may be changed; put it when done.
func edit(inst *model.Instance) *model.Instance {
	next := *inst
	return &next
}

// putVolume makes v the volume of its slot.
func (d *draft) putVolume(v *model.Volume) {
	d.know(v)
	d.touch(v)
}

// end gives a volume's data up.
func (d *draft) end(v *model.Volume) {
	gone := d.ended(v)
	if d.volumes[slot{v.SetGUID, v.Index}] == v {
		delete(d.volumes, slot{v.SetGUID, v.Index})
	}
	d.byGUID[v.GUID] = gone
	d.touch(gone)
}

// ended gives a volume whose data may go.
func (r *round) ended(v *model.Volume) *model.Volume {
	gone := *v
	gone.Ending, gone.EndedAt, gone.Unplaced = true, r.now, ""
	return &gone
}

// volumesOf gives the volumes an instance has, those that are there.
func (d *draft) volumesOf(inst *model.Instance) []*model.Volume {
	var found []*model.Volume
	for _, guid := range inst.Volumes {
		if v := d.byGUID[guid]; v != nil {
			found = append(found, v)
		}
	}
	return found
}

// fixed reports whether an instance is tied to its cell by a volume.
func (d *draft) fixed(inst *model.Instance) bool {
	return slices.ContainsFunc(d.volumesOf(inst), func(v *model.Volume) bool { return !v.Floating })
}

// setPermit changes the permit of an index, or takes it out of the ledger when
// change is nil.
func (d *draft) setPermit(index int, change func(*model.Permit)) {
	next := &model.Ledger{AppGUID: d.app.GUID}
	for _, permit := range d.ledger.Permits {
		if permit.Index == index {
			if change == nil {
				continue
			}
			change(&permit)
		}
		next.Permits = append(next.Permits, permit)
	}
	d.ledger = next
	d.touch(next)
}

// wantBack lets the instance of an index run again under its permit.
func (d *draft) wantBack(index int) {
	d.setPermit(index, func(p *model.Permit) { p.Want = model.WantBack })
}

// rely makes the transaction hold only while a cell is as the snapshot shows
// it: open, present and to stay, or gone.
func (d *draft) rely(cellID string) {
	if cellID != "" {
		rely(d.tx, cellID)
	}
}

func rely(tx *state.Txn, cellID string) {
	tx.Require(model.TableCells+"/"+cellID, model.TableCordons+"/"+cellID, model.TablePresence+"/"+cellID)
	tx.RequireUnder(model.TablePlans) // one of which may have it leave
}

// remove takes a record away that the snapshot has.
func (d *draft) remove(rec model.Record) {
	delete(d.touched, rec.Key())
	d.tx.Delete(rec)
}

// flush writes what came out different.
func (d *draft) flush() {
	for _, key := range d.order {
		if rec := d.touched[key]; rec != nil && !d.same(rec) {
			d.tx.Put(rec)
		}
	}
}

// hand hands the transaction in.
func (d *draft) hand() { d.add(d.tx) }

// same reports whether a record is as the snapshot has it.
func (d *draft) same(rec model.Record) bool {
	switch rec := rec.(type) {
	case *model.Instance:
		old := d.snap.Instance(rec.AppGUID, rec.Index)
		return old != nil && reflect.DeepEqual(old, rec)
	case *model.Volume:
		old := d.snap.Volume(rec.GUID)
		return old != nil && reflect.DeepEqual(old, rec)
	}
	return false
}
