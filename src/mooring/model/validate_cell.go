package model

import (
	"fmt"
	"net/netip"
	"slices"
)

// IP returns the address at which instances on the cell are reached.
func (c *Cell) IP() (netip.Addr, error) {
	if c.Address == "" {
		return netip.Addr{}, fmt.Errorf("is missing; say where instances on the cell are reached")
	}
	ip, err := netip.ParseAddr(c.Address)
	switch {
	case err != nil || ip.Zone() != "":
		return netip.Addr{}, fmt.Errorf("is %s; write an IP address such as 10.0.16.4", quoted(c.Address))
	case ip.IsUnspecified(), ip.IsMulticast(), ip.IsLinkLocalUnicast():
		return netip.Addr{}, fmt.Errorf("is %s, at which no cell is reached; write the IP address of the cell", ip)
	}
	return ip.Unmap(), nil
}

// LogServer returns where the agent serves logs: at the cell's own address and
// nowhere else, since the control plane calls it.
func (c *Cell) LogServer() (netip.AddrPort, error) {
	server, err := netip.ParseAddrPort(c.LogAddress)
	if err != nil || server.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("is %s; write IP:port", quoted(c.LogAddress))
	}
	ip, err := c.IP()
	switch {
	case err != nil:
		return netip.AddrPort{}, fmt.Errorf("cannot be used: the cell's address %w", err)
	case server.Addr().Unmap() != ip:
		return netip.AddrPort{}, fmt.Errorf("is %s, and the cell's address is %s; serve logs at the address of the cell", server, ip)
	}
	return netip.AddrPortFrom(ip, server.Port()), nil
}

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
	if _, err := r.IP(); err != nil {
		c.field("address").wrong("%v", err)
	}
	if _, err := r.LogServer(); err != nil && r.LogAddress != "" {
		c.field("log_address").wrong("%v", err)
	}
	for _, said := range []struct{ name, text string }{
		{"deployment", r.Deployment}, {"boot", r.Boot}, {"start", r.Start}, {"log_key", r.LogKey},
	} {
		c.field(said.name).text(said.text)
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
