package load

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// key is what is known of one key from outside.
type key struct {
	name string
	// issued is the latest version that was sent, acked the latest that was
	// acknowledged. Only the key's writer changes them.
	issued, acked atomic.Int64

	lock sync.Mutex
	// unknown are the versions that were sent and never acknowledged: they may
	// be there or not.
	unknown map[int64]bool
}

// value is what version v of the key holds.
func (k *key) value(v int64) string { return fmt.Sprintf("%s=%d", k.name, v) }

// abandon notes a version whose fate is unknown.
func (k *key) abandon(v int64) {
	k.lock.Lock()
	defer k.lock.Unlock()
	if k.unknown == nil {
		k.unknown = map[int64]bool{}
	}
	k.unknown[v] = true
}

// acknowledged lists the versions that must be there.
func (k *key) acknowledged() []int64 {
	k.lock.Lock()
	defer k.lock.Unlock()
	var versions []int64
	for v := int64(1); v <= k.acked.Load(); v++ {
		if !k.unknown[v] {
			versions = append(versions, v)
		}
	}
	return versions
}

func entryID(v int64) string { return strconv.FormatInt(v, 10) + "-0" }

func versionOf(id string) int64 {
	number, _, _ := strings.Cut(id, "-")
	v, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return -1 // no version that was ever issued
	}
	return v
}
