package cell

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"mooring/model"
	"mooring/volume"
)

// lookEvery is how often volumes are looked at without a reason: their use
// grows by itself.
const lookEvery = 10 * time.Second

// keeper has the volumes of the cell be as the work says: it makes them,
// deletes those whose data may go, and gives up those that are attached for
// nobody. Drivers attach and detach those of their instances.
type keeper struct {
	agent *Agent
	woken chan struct{}

	mu     sync.Mutex
	wanted []model.VolumeWork
	known  bool // work has come
	actual []model.ActualVolume
}

func newKeeper(a *Agent) *keeper { return &keeper{agent: a, woken: make(chan struct{}, 1)} }

// want takes the volumes of new work.
func (k *keeper) want(volumes []model.VolumeWork) {
	k.mu.Lock()
	k.wanted, k.known = volumes, true
	k.mu.Unlock()
	k.wake()
}

func (k *keeper) wake() { signal(k.woken) }

// snapshot gives what is so of the volumes.
func (k *keeper) snapshot() []model.ActualVolume {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.actual)
}

func (k *keeper) run(ctx context.Context) error {
	for tries := 0; ; {
		next := lookEvery
		if k.once(ctx) {
			tries = 0
		} else {
			tries++
			next = retryPause(tries)
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-k.woken:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// once does all that there is to do, and reports whether all went well.
func (k *keeper) once(ctx context.Context) bool {
	k.mu.Lock()
	wanted, known := k.wanted, k.known
	k.mu.Unlock()
	problems := map[string]model.ActualVolume{}
	fail := func(v model.VolumeWork, err error) {
		k.agent.log.Warn("cannot bring a volume to what is wanted", "volume", v.GUID, "set", v.Set, "error", err)
		problems[v.GUID] = model.ActualVolume{
			GUID: v.GUID, CellID: k.agent.cfg.Cell.ID, Class: v.Class, State: model.VolumeFailed, Error: err.Error(),
			Epoch: volume.SeenEpoch(err),
		}
	}
	for _, v := range wanted {
		if err := k.bring(ctx, v); err != nil {
			fail(v, err)
		}
	}
	var list []model.ActualVolume
	err := bounded(ctx, func(ctx context.Context) (err error) {
		list, err = k.agent.cfg.Volumes.List(ctx)
		return err
	})
	if err != nil {
		k.agent.log.Warn("cannot list the cell's volumes", "error", err)
		return false
	}
	if known {
		for i := range list {
			if list[i].State == model.VolumeAttached && k.release(ctx, list[i].GUID) {
				list[i].State = model.VolumeReady
			}
		}
	}
	k.publish(list, problems)
	return len(problems) == 0
}

// bring makes a volume, or deletes it when its data may go and nobody has it.
func (k *keeper) bring(ctx context.Context, v model.VolumeWork) error {
	if !v.Delete {
		return bounded(ctx, func(ctx context.Context) error { return k.agent.cfg.Volumes.Ensure(ctx, v) })
	}
	k.release(ctx, v.GUID)
	if k.agent.claims.claimed(v.GUID) {
		return nil // its driver wakes this one when it has let go
	}
	return bounded(ctx, func(ctx context.Context) error { return k.agent.cfg.Volumes.Delete(ctx, v.GUID) })
}

// release detaches a volume that no instance has, and reports whether it did.
func (k *keeper) release(ctx context.Context, guid string) bool {
	released, err := k.agent.claims.release(guid, func() error {
		return bounded(ctx, func(ctx context.Context) error { return k.agent.cfg.Volumes.Detach(ctx, guid) })
	})
	if err != nil {
		k.agent.log.Warn("cannot detach a volume that nobody uses", "volume", guid, "error", err)
	}
	return released
}

// bounded makes one call to the volume manager, which may hang on one volume
// and is still to be asked about the others.
func bounded(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	return call(ctx)
}

// publish keeps the list for the next report, problems in place of what they
// are about.
func (k *keeper) publish(list []model.ActualVolume, problems map[string]model.ActualVolume) {
	all := map[string]model.ActualVolume{}
	for _, v := range list {
		all[v.GUID] = v.Bounded()
	}
	for guid, v := range problems {
		all[guid] = v.Bounded()
	}
	sorted := slices.SortedFunc(maps.Values(all), func(a, b model.ActualVolume) int { return strings.Compare(a.GUID, b.GUID) })
	k.mu.Lock()
	changed := !reflect.DeepEqual(sorted, k.actual)
	k.actual = sorted
	k.mu.Unlock()
	if changed {
		k.agent.reporter.now()
	}
}
