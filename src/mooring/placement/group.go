package placement

import "mooring/model"

// Group gives the number of a new group: a volume set, or the instances of an
// app, whose members are to be kept apart. name is how refusals speak of it.
func (x *Index) Group(name string) GroupNo {
	x.groups = append(x.groups, group{name: name})
	return GroupNo(len(x.groups) - 1)
}

// group holds the members of one group by index.
type group struct {
	name    string
	members []member
}

// member is where one index of a group is and what it takes there. cell is 0
// for a floating volume, which takes its disk from its AZ, and az is -1 when
// the index is nowhere.
type member struct {
	memory   int64
	disk     int64
	cell     CellNo
	az       int16
	resource int16 // that disk is taken from; 0 for none
}

var nowhere = member{az: -1}

// Disk is an amount of one volume class.
type Disk struct {
	Class string
	Size  model.Size
}

// String gives "10G of class persistent".
func (d Disk) String() string { return d.Size.String() + " of class " + d.Class }

// Put records that a member of a group is on a cell and takes memory and disk
// there, whether or not it fits. A member that was elsewhere has left there.
func (x *Index) Put(g GroupNo, index int, cell CellNo, memory model.Size, disk Disk) {
	x.put(g, index, member{
		memory: int64(memory), disk: int64(disk.Size), cell: cell,
		az: x.azOf[cell], resource: int16(max(x.resource(disk.Class), 0)),
	})
}

// PutAZ records that a floating volume of a group is in an AZ and takes disk
// there. An AZ that no cell is in has no room to take it from.
func (x *Index) PutAZ(g GroupNo, index int, az string, disk Disk) {
	no := x.az(az)
	if no < 0 {
		return
	}
	x.put(g, index, member{disk: int64(disk.Size), az: no, resource: int16(max(x.resource(disk.Class), 0))})
}

// Remove takes a member of a group away, and what it took with it.
func (x *Index) Remove(g GroupNo, index int) {
	members := x.groups[g].members
	if index < len(members) && members[index].az >= 0 {
		x.apply(&members[index], -1)
		x.focus.change(x, g, &members[index], -1)
		members[index] = nowhere
	}
}

// Where gives the cell of a member, 0 when it is on none.
func (x *Index) Where(g GroupNo, index int) CellNo {
	if members := x.groups[g].members; index < len(members) {
		return members[index].cell
	}
	return 0
}

// Reserve takes memory and disk on a cell for something that no spread counts:
// a volume whose data may go, an instance whose replacement is on its way.
func (x *Index) Reserve(cell CellNo, memory model.Size, disk Disk) {
	x.apply(&member{
		memory: int64(memory), disk: int64(disk.Size), cell: cell,
		az: x.azOf[cell], resource: int16(max(x.resource(disk.Class), 0)),
	}, 1)
}

func (x *Index) put(g GroupNo, index int, m member) {
	x.Remove(g, index)
	members := x.groups[g].members
	for len(members) <= index {
		members = append(members, nowhere)
	}
	members[index] = m
	x.groups[g].members = members
	x.apply(&m, 1)
	x.focus.change(x, g, &m, 1)
}

// apply takes what a member needs from where it is (sign 1) or gives it back.
func (x *Index) apply(m *member, sign int64) {
	if m.cell == 0 {
		if at := int(m.az)*x.width + int(m.resource); m.resource > 0 {
			x.azFree[at] -= sign * m.disk
		}
		return
	}
	row := x.free[int(m.cell)*x.width : (int(m.cell)+1)*x.width]
	row[0] -= sign * m.memory
	if m.resource > 0 && !x.classes[m.resource-1].Floating {
		row[m.resource] -= sign * m.disk
	}
	x.count[m.cell] += int32(sign)
	x.settle(m.cell)
}

// az gives the number of an AZ, -1 when no cell is in it.
func (x *Index) az(name string) int16 {
	for no, az := range x.azs {
		if az == name {
			return int16(no)
		}
	}
	return -1
}

// Leave takes a member out of its group but keeps what it took: it is about to
// go, and nothing may count on its room until it has gone.
func (x *Index) Leave(g GroupNo, index int) {
	members := x.groups[g].members
	if index < len(members) && members[index].az >= 0 {
		x.focus.change(x, g, &members[index], -1)
		members[index] = nowhere
	}
}
