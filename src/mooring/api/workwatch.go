package api

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"sync"

	"mooring/model"
)

// rememberedWork is how many of its latest answers are remembered for a cell.
const rememberedWork = 8

// workWatch remembers which work each cell was last given, so that a long poll
// can tell whether it has changed. It is a memory of convenience: a node that
// does not remember answers at once, and the cell finds nothing new in it.
type workWatch struct {
	mu    sync.Mutex
	given map[string][]givenWork // by cell, the oldest first
}

type givenWork struct {
	revision int64
	sum      [sha256.Size]byte
}

// give notes that a cell is given this work now.
func (w *workWatch) give(cellID string, work *model.Work, sum [sha256.Size]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.given == nil {
		w.given = map[string][]givenWork{}
	}
	latest := append(w.given[cellID], givenWork{work.Revision, sum})
	w.given[cellID] = slices.Clone(latest[max(0, len(latest)-rememberedWork):])
}

// has reports whether a cell that was given its work at a revision has just
// this work.
func (w *workWatch) has(cellID string, revision int64, sum [sha256.Size]byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.given[cellID], givenWork{revision, sum})
}

// sumOf is equal for works that ask the same of a cell. Peers are left out:
// they are what a handler is told when it starts, and how they fare is no
// reason to wake the cell.
func sumOf(work *model.Work) [sha256.Size]byte {
	plain := model.Work{Volumes: work.Volumes, Instances: slices.Clone(work.Instances)}
	for i := range plain.Instances {
		if t := plain.Instances[i].Task; t != nil {
			alone := *t
			alone.Peers = nil
			plain.Instances[i].Task = &alone
		}
	}
	content, err := json.Marshal(plain)
	if err != nil {
		panic("api: a cell's work cannot be written as JSON: " + err.Error())
	}
	return sha256.Sum256(content)
}
