package cell

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// TestAStepThatIsNotOnDiskClaimsNothing: an instance that was never started
// must not keep its volume from being deleted.
func TestAStepThatIsNotOnDiskClaimsNothing(t *testing.T) {
	g := NewWithT(t)
	a := New(Config{RunDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	g.Expect(os.WriteFile(filepath.Join(a.cfg.RunDir, "state"), nil, 0o600)).To(Succeed(), "no record can be written there")
	work := model.InstanceWork{AppGUID: "app", GUID: "guid", Run: true, Mounts: []model.MountedWork{{VolumeGUID: "volume"}}}
	a.known = true
	a.wants[keyOf(work)] = &want{InstanceWork: work}

	over, _ := newDriver(a, keyOf(work), memory{}).settle(t.Context())

	g.Expect(over).To(BeFalse())
	g.Expect(a.claims.claimed("volume")).To(BeFalse())
}
