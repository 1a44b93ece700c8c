package sequence

// watches is how cells wait for room without being counted for every app they
// use: each that does not fit watches one app that has no room for it, and is
// looked at again only when that app gets some.
type watches struct {
	watching []bool  // per cell
	watchers []int32 // per app, the first cell that watches it, -1 when none
	behind   []int32 // per cell, the next one that watches the same app
}

func newWatches(cells, apps int) watches {
	w := watches{watching: make([]bool, cells), watchers: make([]int32, apps), behind: make([]int32, cells)}
	for a := range w.watchers {
		w.watchers[a] = -1
	}
	return w
}

func (w *watches) watch(c, a int32) {
	if !w.watching[c] {
		w.watching[c] = true
		w.behind[c], w.watchers[a] = w.watchers[a], c
	}
}

// wake looks again at the cells that watch an app: those that fit are offered,
// the others watch on, this app or another.
func (d *Dispatcher) wake(a int32) {
	if d.mode == Tickets {
		return
	}
	c := d.watchers[a]
	d.watchers[a] = -1
	for c >= 0 {
		behind := d.behind[c]
		d.watching[c] = false
		if d.inLine(c) && d.may(c) {
			d.offer(c)
		}
		c = behind
	}
}
