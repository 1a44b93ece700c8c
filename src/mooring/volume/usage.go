package volume

import (
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"mooring/model"
)

const (
	usageAge = 15 * time.Second
	// usageShare keeps measuring below this part of one processor: a walk that
	// took a second is not repeated for fifty.
	usageShare = 50
)

// usage remembers how much disk volumes take. Measuring is a walk over all
// files, so callers get the last figure and a new one is found beside them.
type usage struct {
	mu      sync.Mutex
	known   map[string]measure
	walking bool
	walks   sync.WaitGroup
	closed  bool
}

type measure struct {
	used model.Size
	next time.Time // not measured again before
}

// of gives what was last measured for a volume, 0 before the first time.
func (u *usage) of(guid, dir string) model.Size {
	u.mu.Lock()
	defer u.mu.Unlock()
	last := u.known[guid]
	if !u.walking && !u.closed && time.Now().After(last.next) {
		u.walking = true
		u.walks.Go(func() { u.measure(guid, dir) })
	}
	return last.used
}

func (u *usage) measure(guid, dir string) {
	began := time.Now()
	used := diskUsed(dir)
	took := time.Since(began)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.known == nil {
		u.known = map[string]measure{}
	}
	u.known[guid] = measure{used: used, next: time.Now().Add(max(usageAge, usageShare*took))}
	u.walking = false
}

// forget drops what is known of a deleted volume.
func (u *usage) forget(guid string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.known, guid)
}

// close waits for the walk under way; there are none after it.
func (u *usage) close() {
	u.mu.Lock()
	u.closed = true
	u.mu.Unlock()
	u.walks.Wait()
}

// diskUsed adds up the blocks of everything under dir. What vanishes during
// the walk does not count.
func diskUsed(dir string) model.Size {
	var total model.Size
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			if stat, ok := info.Sys().(*syscall.Stat_t); ok {
				total += model.Size(stat.Blocks * 512)
			}
		}
		return nil
	})
	return total
}
