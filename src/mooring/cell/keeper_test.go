package cell_test

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// hung starts an agent that gives up a volume nobody uses, and hangs there.
func (b *bench) hung(guid string) (stop func() error, end func()) {
	b.Expect(os.MkdirAll(filepath.Join(b.volumes.dir, guid), 0o700)).To(Succeed())
	b.volumes.leave(guid)
	end = b.volumes.hangOn(guid)
	stop = b.start()
	b.control.give()
	b.Eventually(b.volumes.hung, patience).Should(Equal(1))
	return stop, end
}

func TestAVolumeThatHangsHoldsUpOnlyThoseWhoWantIt(t *testing.T) {
	b := newBench(t)
	_, end := b.hung("left")
	other := instance(0, sleeping, b.mounted("volume-1", "persistent"))
	b.control.give(other)
	b.serving(0)

	b.control.give(other, instance(1, sleeping, b.mounted("left", "persistent")))
	b.Eventually(b.state(1), patience).Should(Equal(model.Starting))
	end()
	b.serving(1)

	b.Expect(b.volumes.history()).To(Equal([]string{"attach volume-1", "detach left", "attach left"}), "nothing is attached while it is being given up")
}

func TestAnAgentEndsThoughAVolumeHangs(t *testing.T) {
	b := newBench(t)
	stop, _ := b.hung("left")
	b.control.give(instance(0, sleeping, b.mounted("volume-1", "persistent")))
	b.serving(0)

	b.Expect(stop()).To(Succeed())

	b.Expect(b.volumes.history()).To(Equal([]string{"attach volume-1", "detach volume-1"}))
}
