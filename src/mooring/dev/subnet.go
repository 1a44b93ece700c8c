package dev

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Fleets beside each other on one machine are not to meet at an address: each
// has loopback subnets 127.83.N of its own, of subnetCells cells each. Whoever
// listens on the abstract unix socket that is named after a subnet has it;
// the kernel takes it back when that process ends, however it ends.
const (
	subnets     = 250
	subnetCells = 250
)

// claim is a run of subnets that no other fleet has.
type claim struct {
	first int
	held  []net.Listener
}

// claimSubnets takes the subnets for a number of cells: those from preferred
// on, which is 0 when none are, or others when a fleet that runs has them.
func claimSubnets(preferred, cells int) (*claim, error) {
	span := (cells + subnetCells - 1) / subnetCells
	starts := rand.Perm(subnets - span + 1)
	if preferred > 0 {
		starts = append([]int{preferred - 1}, starts...)
	}
	for _, start := range starts {
		if c := tryClaim(start+1, span); c != nil {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no loopback subnet 127.83.N is free for %d cells: stop a `moor dev` that runs", cells)
}

func tryClaim(first, span int) *claim {
	c := &claim{first: first}
	for n := first; n < first+span; n++ {
		listener, err := net.Listen("unix", fmt.Sprintf("@mooring-dev-127.83.%d", n))
		if err != nil {
			c.release()
			return nil
		}
		c.held = append(c.held, listener)
	}
	return c
}

// address gives cell number i an address of its own; all of 127.0.0.0/8 is
// there on Linux.
func (c *claim) address(i int) string {
	return fmt.Sprintf("127.83.%d.%d", c.first+i/subnetCells, i%subnetCells+1)
}

func (c *claim) release() {
	for _, listener := range c.held {
		listener.Close()
	}
}
