package placement

import "math/bits"

// Ports knows which ports of one cell are taken.
type Ports struct {
	from, to int
	taken    []uint64
}

// NewPorts gives the ports from to to, both inclusive, all of them free.
func NewPorts(from, to int) *Ports {
	return &Ports{from: from, to: to, taken: make([]uint64, (max(to-from+1, 0)+63)/64)}
}

// Use marks a port taken; one outside the range is none of ours.
func (p *Ports) Use(port int) {
	if port >= p.from && port <= p.to {
		p.taken[(port-p.from)/64] |= 1 << ((port - p.from) % 64)
	}
}

// Take takes a free port, the first at or after start in a circle, so that
// callers with different starts rarely get a port that was just given up; 0
// when none is free.
func (p *Ports) Take(start uint32) int {
	n := p.to - p.from + 1
	if n <= 0 {
		return 0
	}
	at := int(start % uint32(n))
	for range len(p.taken) + 1 {
		word := at / 64
		free := ^p.taken[word] >> (at % 64) << (at % 64)
		if free == 0 {
			at = (word + 1) % len(p.taken) * 64
			continue
		}
		port := p.from + word*64 + bits.TrailingZeros64(free)
		if port > p.to {
			at = 0
			continue
		}
		p.Use(port)
		return port
	}
	return 0
}
