package model

// Validate says everything that is wrong with the volume set, as Problems.
// Whether any cell offers the class and has room is for the scheduler to say.
func (v *VolumeSet) Validate() error {
	c := newCheck()
	v.checkName(c, "volume set")
	c.field("class").word("class", v.Class)
	switch {
	case v.Count < 0:
		c.field("count").wrong("is %d; it cannot be less than 0", v.Count)
	case v.Count > MaxInstances:
		c.field("count").wrong("is %d; a set has at most %d volumes", v.Count, MaxInstances)
	}
	if v.Size <= 0 {
		c.field("size").wrong("is missing; say how much each volume holds, such as 1G")
	}
	if v.ReserveMemory < 0 {
		c.field("reserve_memory").wrong("is less than nothing")
	}
	if v.Pool != "" {
		c.field("pool").word("pool", v.Pool)
	}
	return c.err()
}

// AsClass gives the set's class as far as disruptions are concerned: whether
// it floats, and what its volumes survive.
func (v *VolumeSet) AsClass() Class {
	return Class{Name: v.Class, Floating: v.Floating, Survives: v.Survives}
}
