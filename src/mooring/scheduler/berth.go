package scheduler

import (
	"cmp"
	"errors"
	"fmt"

	"mooring/model"
	"mooring/placement"
)

// berth is a place found for an instance: a cell and a volume for each mount,
// there already or to be made.
type berth struct {
	cell    string
	volumes []*model.Volume // by mount; not in the draft yet
	empty   []*model.Volume // without data and in the wrong place: to be ended
	broken  placement.Soft
}

// wish is an instance that needs a place.
type wish struct {
	index int
	spec  *model.RunSpec
	// held are the volumes it has and keeps, by set.
	held map[string]*model.Volume
	// avoid is the cell it leaves.
	avoid string
}

// have gives the volumes that are there for an index, by set, but not the
// fixed ones when they are to be left behind.
func (d *draft) have(spec *model.RunSpec, index int, leave bool) map[string]*model.Volume {
	held := map[string]*model.Volume{}
	sets, _ := d.setsOf(d.app, spec)
	for _, set := range sets {
		if v := d.volumes[slot{set.GUID, index}]; v != nil && (set.Floating || !leave) {
			held[set.GUID] = v
		}
	}
	return held
}

// find looks for a place; what it takes is taken in the fleet. why says why
// there is none.
func (d *draft) find(w wish) (b *berth, why string) {
	sets, why := d.setsOf(d.app, w.spec)
	if why != "" {
		return nil, why
	}
	s := &seeker{draft: d, wish: w, fleet: d.index(), sets: sets, berth: &berth{}, chosen: map[string]bool{}}
	s.pool = w.spec.Pool
	for _, set := range sets {
		s.pool = cmp.Or(s.pool, set.Pool)
		if !set.Floating {
			s.fixed = append(s.fixed, set)
		} else {
			s.floating = append(s.floating, set)
		}
	}
	s.reckon()
	if why := s.seek(); why != "" {
		return nil, why
	}
	for _, set := range sets {
		s.berth.volumes = append(s.berth.volumes, s.volume(set))
	}
	return s.berth, ""
}

// seeker is one search for a place.
type seeker struct {
	*draft
	wish
	fleet           *fleet
	sets            []*model.VolumeSet
	fixed, floating []*model.VolumeSet
	pool            string
	memory          model.Size // for the instance; beside its first fixed volume
	more            model.Size // kept beside its other fixed volumes
	az              string
	cell            placement.CellNo
	chosen          map[string]bool // floating sets that got their AZ just now
	berth           *berth
}

// reckon adds up the memory that is needed. What is reserved beside a volume
// is for what runs there.
func (s *seeker) reckon() {
	s.memory = s.spec.Memory
	if len(s.fixed) == 0 {
		for _, set := range s.floating {
			s.memory = max(s.memory, set.ReserveMemory)
		}
		return
	}
	s.memory = max(s.memory, s.fixed[0].ReserveMemory)
	for _, set := range s.fixed[1:] {
		s.more += set.ReserveMemory
	}
}

func (s *seeker) seek() (why string) {
	if why := s.anchor(); why != "" {
		return why
	}
	request := placement.Request{
		Group: s.fleet.app(s.app.GUID), Index: s.index, Pool: s.pool, Memory: s.memory + s.more,
		AZ: s.az, Avoid: s.fleet.Cell(s.avoid),
	}
	switch {
	case s.cell != 0:
		return s.join()
	case len(s.fixed) > 0:
		request.Group, request.Domains = s.fleet.set(s.fixed[0].GUID), true
		request.Of = s.fixed[0].Count
	case len(s.floating) > 0:
		if why := s.chooseAZ(); why != "" {
			return why
		}
		request.AZ = s.az
	}
	request.Disks = s.disks()
	result, err := s.fleet.Place(request)
	if err != nil {
		return refusal(err)
	}
	s.cell, s.berth.broken = result.Cell, s.berth.broken|result.Broken
	return s.take()
}

// anchor finds out where the volumes that the instance has hold it. Of those
// that cannot be used together, one that was never mounted gives way.
func (s *seeker) anchor() (why string) {
	var first *model.Volume
	for _, mounted := range []bool{true, false} {
		for _, set := range s.fixed {
			v := s.held[set.GUID]
			switch {
			case v == nil || v.CellID == "" || v.Mounted != mounted:
			case first == nil:
				first = v
				s.cell = s.fleet.Cell(v.CellID)
			case v.CellID == first.CellID:
			case mounted:
				return fmt.Sprintf("its volumes are on different cells: %s and %s", first.CellID, v.CellID)
			default:
				s.leave(v)
			}
		}
	}
	if s.cell != 0 {
		s.az = s.fleet.At(s.cell).AZ
	} else if first != nil {
		return fmt.Sprintf("its volume is on cell %s, which is not known", first.CellID)
	}
	for _, mounted := range []bool{true, false} {
		for _, set := range s.floating {
			v := s.held[set.GUID]
			switch {
			case v == nil || v.AZ == "" || v.Mounted != mounted:
			case s.az == "":
				s.az = v.AZ
			case v.AZ == s.az:
			case mounted && first != nil && !first.Mounted:
				// An empty fixed volume follows data that floats elsewhere.
				s.release()
				s.az = v.AZ
				first = nil
			case mounted:
				return fmt.Sprintf("its volumes are in different AZs: %s and %s", s.az, v.AZ)
			default:
				s.leave(v)
			}
		}
	}
	return ""
}

// leave gives up a volume that holds no data.
func (s *seeker) leave(v *model.Volume) {
	s.berth.empty = append(s.berth.empty, v)
	s.fleet.Leave(s.fleet.set(v.SetGUID), v.Index)
	delete(s.held, v.SetGUID)
}

// release gives up all fixed volumes, none of which holds data.
func (s *seeker) release() {
	s.cell = 0
	for _, set := range s.fixed {
		if v := s.held[set.GUID]; v != nil {
			s.leave(v)
		}
	}
}

// join looks whether the cell where the volumes are can take the instance, and
// the volumes that are missing.
func (s *seeker) join() (why string) {
	cell := s.fleet.At(s.cell)
	if cell.Closed != placement.Open && cell.Closed != placement.Leaving {
		return fmt.Sprintf("its volume is on cell %s, which is %s", cell.ID, cell.Closed)
	}
	memory, mounted := s.memory+s.more, false
	for _, set := range s.fixed {
		if v := s.held[set.GUID]; v != nil && v.CellID != "" {
			memory -= max(set.ReserveMemory, s.fleet.beside[v.GUID])
			mounted = mounted || v.Mounted
		}
	}
	// Where nothing more is needed than is reserved it does not matter how full
	// the cell is.
	memory = max(memory, min(0, s.fleet.Free(s.cell)))
	request := placement.Request{
		Group: s.fleet.set(s.fixed[0].GUID), Index: s.index, Pool: s.pool, Memory: memory, Disks: s.disks(), AZ: s.az, Bound: mounted,
	}
	if err := s.fleet.Fits(request, s.cell); err != nil {
		if mounted {
			return refusal(err)
		}
		s.release()
		return s.seek()
	}
	return s.take()
}

// disks lists the room that is needed on the cell: for fixed volumes that are
// not there yet, and floating ones within reach.
func (s *seeker) disks() []placement.Disk {
	var disks []placement.Disk
	for _, set := range s.fixed {
		if v := s.held[set.GUID]; v == nil || v.CellID == "" {
			disks = append(disks, placement.Disk{Class: set.Class, Size: set.Size})
		}
	}
	for _, set := range s.floating {
		disks = append(disks, placement.Disk{Class: set.Class})
	}
	return disks
}

// chooseAZ finds the AZ for floating volumes that have none, the instance's if
// it has one.
func (s *seeker) chooseAZ() (why string) {
	for _, set := range s.floating {
		if v := s.held[set.GUID]; v != nil && v.AZ != "" || s.chosen[set.GUID] {
			continue
		}
		result, err := s.fleet.PlaceAZ(placement.Request{
			Group: s.fleet.set(set.GUID), Index: s.index, Pool: s.pool, Memory: s.stillNeeded(), AZ: s.az,
			Disks: []placement.Disk{{Class: set.Class, Size: set.Size}},
		})
		if err != nil {
			return refusal(err)
		}
		s.az, s.berth.broken = result.AZ, s.berth.broken|result.Broken
		s.chosen[set.GUID] = true
	}
	return ""
}

// stillNeeded gives the memory that some cell of the AZ must have: none once
// the cell is chosen.
func (s *seeker) stillNeeded() model.Size {
	if s.cell != 0 {
		return 0
	}
	return s.memory
}

// take records in the fleet what the place takes beyond what Place recorded.
func (s *seeker) take() (why string) {
	s.berth.cell = s.fleet.At(s.cell).ID
	s.az = s.fleet.At(s.cell).AZ
	memory := s.memory
	for i, set := range s.fixed {
		if i > 0 {
			memory = set.ReserveMemory
		}
		s.fleet.Put(s.fleet.set(set.GUID), s.index, s.cell, memory, placement.Disk{Class: set.Class, Size: set.Size})
	}
	return s.chooseAZ()
}

// volume gives the volume of a set as the place has it.
func (s *seeker) volume(set *model.VolumeSet) *model.Volume {
	v := s.newVolume(set, s.index)
	if old := s.held[set.GUID]; old != nil {
		*v = *old
	}
	v.AZ, v.Unplaced, v.Mounted = s.az, "", true
	if !set.Floating {
		v.CellID = s.berth.cell
	}
	return v
}

// newVolume gives a volume that is nowhere yet.
func (r *round) newVolume(set *model.VolumeSet, index int) *model.Volume {
	v := &model.Volume{
		GUID: r.guid("volume", set.GUID, index), SetGUID: set.GUID, Index: index, Class: set.Class,
		Size: set.Size, Floating: set.Floating, CreatedAt: r.now,
	}
	if !set.Floating {
		v.Epoch = 1
	}
	return v
}

// refusal gives the reason without the name of what was refused: it is written
// on its record.
func refusal(err error) string {
	var refused *placement.Refusal
	if errors.As(err, &refused) {
		return refused.Why
	}
	return err.Error()
}
