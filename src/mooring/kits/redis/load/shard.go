package load

import (
	"sync"
	"time"
)

// shard is the slots that one primary owned when the load began, and how its
// requests fare.
type shard struct {
	keys   []*key
	writes meter
	reads  meter
}

// meter measures how long nothing succeeded.
type meter struct {
	lock    sync.Mutex
	last    time.Time // when a request last succeeded, or the load began
	longest time.Duration
	from    time.Time // when the longest gap began
}

func (m *meter) start(now time.Time) { m.last = now }

func (m *meter) succeeded(now time.Time) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if gap := now.Sub(m.last); gap > m.longest {
		m.longest, m.from = gap, m.last
	}
	m.last = now
}

func (m *meter) worst() (time.Duration, time.Time) {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.longest, m.from
}
