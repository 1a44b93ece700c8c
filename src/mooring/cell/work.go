package cell

import (
	"maps"
	"slices"

	"mooring/model"
)

// volume finds the work on one of the instance's volumes.
func (w *want) volume(guid string) (model.VolumeWork, bool) {
	for _, v := range w.Volumes {
		if v.GUID == guid {
			return v, true
		}
	}
	return model.VolumeWork{}, false
}

// wantsOf cuts a cell's work into what is wanted of each instance. floating
// says whether a class is; one that nobody knows counts as floating, since
// that is the side on which an instance is stopped too early, not too late.
func wantsOf(work *model.Work, floating func(class string) bool) map[key]*want {
	volumes := map[string]model.VolumeWork{}
	for _, v := range work.Volumes {
		volumes[v.GUID] = v
	}
	wants := map[key]*want{}
	for _, instance := range work.Instances {
		w := &want{InstanceWork: instance, Floats: len(instance.Mounts) == 0}
		for _, mount := range instance.Mounts {
			v, placed := volumes[mount.VolumeGUID]
			if placed {
				w.Volumes = append(w.Volumes, v)
			}
			w.Floats = w.Floats || !placed || floating(v.Class)
		}
		wants[keyOf(instance)] = w
	}
	return wants
}

// sortedKeys gives keys in a steady order.
func sortedKeys[V any](m map[key]V) []key {
	return slices.SortedFunc(maps.Keys(m), func(a, b key) int {
		if a.App != b.App {
			if a.App < b.App {
				return -1
			}
			return 1
		}
		return a.Index - b.Index
	})
}
