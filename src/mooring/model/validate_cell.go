package model

import (
	"net"
	"slices"
)

// Validate says everything that is wrong with what an agent says of its host,
// as Problems.
func (r *Registration) Validate() error {
	c := newCheck()
	c.field("id").word("cell", r.ID)
	c.field("az").word("availability zone", r.AZ)
	c.field("pool").word("pool", r.Pool)
	if r.DomainGiven && r.Domain < 1 {
		c.field("domain").wrong("is %d; update domains count from 1", r.Domain)
	}
	if r.Address == "" {
		c.field("address").wrong("is missing; say where instances on the cell are reached")
	}
	if r.LogAddress != "" {
		if _, _, err := net.SplitHostPort(r.LogAddress); err != nil {
			c.field("log_address").wrong("is %q; write host:port", r.LogAddress)
		}
	}
	if r.Memory <= 0 {
		c.field("memory").wrong("is missing; say how much instances may take")
	}
	if r.PortMin < 1 || r.PortMax > 65535 || r.PortMin > r.PortMax {
		c.field("port_min").wrong("ports %d to %d are no range between 1 and 65535", r.PortMin, r.PortMax)
	}
	if r.Boot == "" {
		c.field("boot").wrong("is missing; name the boot of the host")
	}
	if r.Start == "" {
		c.field("start").wrong("is missing; name the start of the agent")
	}
	for i, class := range r.Classes {
		class.check(c.field("classes").item(i))
		if slices.ContainsFunc(r.Classes[:i], func(other Class) bool { return other.Name == class.Name }) {
			c.field("classes").item(i).field("name").wrong("%q is there twice", class.Name)
		}
	}
	return c.err()
}

func (k Class) check(c check) {
	c.field("name").word("class", k.Name)
	if k.Survives.Rank() == 0 {
		c.field("survives").wrong("is %q; use restart, reboot, recreate or retire", k.Survives)
	}
	if k.Capacity < 0 {
		c.field("capacity").wrong("is less than nothing")
	}
}
