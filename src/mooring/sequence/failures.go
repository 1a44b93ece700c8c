package sequence

import (
	"container/heap"
	"time"
)

// outages is what failures do during a simulation. An instance that is away
// for a roll and for a failure counts once; should the failure outlast the
// roll, it counts as down from then on.
type outages struct {
	cellTill map[int]time.Duration    // failed cells, and until when
	till     map[[2]int]time.Duration // (cell, app): until when its instances are down
	counted  map[[2]int]bool          // (cell, app): counted as down now
}

// fail takes a cell down. Instances that can move are served elsewhere after
// the time of their moves.
func (s *Simulation) fail(e event) {
	if _, failed := s.out.cellTill[e.cell]; !failed {
		s.d.SetAside(e.cell, true)
	}
	s.out.cellTill[e.cell] = max(s.out.cellTill[e.cell], e.until)
	heap.Push(&s.events, event{at: e.until, kind: recovers, cell: e.cell})
	for _, use := range s.p.Cells[e.cell].Uses {
		till := e.until
		if hold := use.Hold; hold > 0 && s.now+hold < till {
			till = s.now + hold
			heap.Push(&s.events, event{at: till, kind: recovers, cell: e.cell})
		}
		key := [2]int{e.cell, int(use.App)}
		s.out.till[key] = max(s.out.till[key], till)
	}
	s.count(e.cell)
}

// recover lets a cell back into line once its last failure is over.
func (s *Simulation) recover(c int) {
	s.count(c)
	if till, failed := s.out.cellTill[c]; failed && till <= s.now {
		delete(s.out.cellTill, c)
		s.d.SetAside(c, false)
	}
}

// count tells the dispatcher which instances of a failed cell are down now.
func (s *Simulation) count(c int) {
	if _, failed := s.out.cellTill[c]; !failed {
		return
	}
	running := s.d.State(c) == Running
	for _, use := range s.p.Cells[c].Uses {
		key, hold := [2]int{c, int(use.App)}, use.Hold
		byRoll := running && (hold == 0 || s.now < s.Timeline.Start[c]+hold)
		down := s.out.till[key] > s.now && !byRoll
		if down != s.out.counted[key] {
			s.out.counted[key] = down
			s.d.Down(key[1], int(use.N)*(b2i(down)-b2i(!down)))
		}
	}
}
