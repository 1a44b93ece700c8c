package cell

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// stuckVolumes is a volume manager that hangs on every call about one volume.
type stuckVolumes struct {
	Volumes
	hangs   string
	ensured []string
}

func (v *stuckVolumes) Ensure(ctx context.Context, w model.VolumeWork) error {
	v.ensured = append(v.ensured, w.GUID)
	return v.call(ctx, w.GUID)
}
func (v *stuckVolumes) Delete(ctx context.Context, guid string) error { return v.call(ctx, guid) }
func (v *stuckVolumes) Detach(ctx context.Context, guid string) error { return v.call(ctx, guid) }
func (v *stuckVolumes) List(ctx context.Context) ([]model.ActualVolume, error) {
	return []model.ActualVolume{{GUID: "a", State: model.VolumeReady}, {GUID: "b", State: model.VolumeReady}}, v.call(ctx, "list")
}

func (v *stuckVolumes) call(ctx context.Context, what string) error {
	if what != v.hangs {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestACallThatHangsDoesNotKeepTheOtherVolumesWaitingForGood(t *testing.T) {
	for _, hangs := range []string{"a", "gone", "list"} {
		t.Run(hangs, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				manager := &stuckVolumes{hangs: hangs}
				a := New(Config{Volumes: manager, Logger: slog.New(slog.DiscardHandler)})
				a.keeper.want([]model.VolumeWork{{GUID: "a"}, {GUID: "gone", Delete: true}, {GUID: "b"}})
				began := time.Now()

				g.Expect(a.keeper.once(t.Context())).To(BeFalse())

				// A deletion detaches first.
				g.Expect(time.Since(began)).To(BeNumerically("<=", 2*opTimeout))
				g.Expect(manager.ensured).To(Equal([]string{"a", "b"}))
			})
		})
	}
}
