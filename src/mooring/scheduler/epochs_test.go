package scheduler_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// afloat is a world with an app of one instance on a floating volume, at rest.
func afloat(g Gomega) (*world, *model.Volume) {
	w := newWorld(g, fleet(4)...)
	w.write(volumeSet("broker-data", model.ClassShared, 1))
	w.push(app("broker", 1, "broker-data"))
	w.settle()
	return w, w.snap.VolumesOf("set-broker-data")[0]
}

func TestEpoch_IsNewerThanWhatAVolumeHasHad(t *testing.T) {
	for name, state := range map[string]model.VolumeState{"its cell is refused": model.VolumeFailed, "another cell has it": model.VolumeAttached} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			w, v := afloat(g)
			reporter := v.CellID
			if state == model.VolumeAttached {
				for _, c := range w.snap.Cells() {
					if c.AZ == v.AZ && c.ID != v.CellID {
						reporter = c.ID
					}
				}
			}
			for _, had := range []int64{v.Epoch, v.Epoch + 6} { // as before a backup was restored
				w.write(&model.ActualVolume{GUID: v.GUID, CellID: reporter, Class: v.Class, State: state, Epoch: had})
				for w.decide(1000) {
				}
				g.Expect(w.snap.Volume(v.GUID)).To(And(HaveField("Epoch", had+1), HaveField("CellID", v.CellID)))
			}
		})
	}
}

func TestEpoch_OfAMoveIsNewerThanWhatAnyCellReports(t *testing.T) {
	g := NewWithT(t)
	w, v := afloat(g)
	other := w.order[len(w.order)-1]
	w.write(&model.ActualVolume{GUID: v.GUID, CellID: other, Class: v.Class, State: model.VolumeReady, Epoch: 40})
	w.vanish(v.CellID)
	for w.decide(1000) {
	}
	g.Expect(w.snap.Volume(v.GUID).Epoch).To(BeNumerically(">", 40))
}

func TestEpoch_ThatIsOutOfAllBoundsIsNotBelieved(t *testing.T) {
	g := NewWithT(t)
	w, v := afloat(g)
	w.write(&model.ActualVolume{GUID: v.GUID, CellID: w.order[0], Class: v.Class, State: model.VolumeReady, Epoch: 1 << 62})
	for w.decide(1000) {
	}
	g.Expect(w.snap.Volume(v.GUID).Epoch).To(Equal(v.Epoch))
}
