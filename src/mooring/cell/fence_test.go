package cell_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

// realTTL is the lease that control planes give by default. What has to be over
// within a lease has that long, and no less, where the machine is busy.
const realTTL = 10 * time.Second

// trio gives the cell an instance of each sort: fixed, floating, without volume.
func (b *bench) trio() (fixed, floating, bare int) {
	b.control.give(
		instance(0, sleeping, b.mounted("volume-0", "persistent")),
		instance(1, sleeping, b.mounted("volume-1", "shared")),
		instance(2, sleeping))
	return b.serving(0), b.serving(1), b.serving(2)
}

// stopWithinTTL waits until none of the processes can do anything, and expects
// that none could when the lease given out last had run out: before anybody else
// may start them. What nobody looked at in time, because the machine stood still,
// is not held against the cell.
func (b *bench) stopWithinTTL(since time.Time, pids ...int) {
	b.Helper()
	looked, moved, blind := time.Now(), since, time.Duration(0)
	b.Eventually(func() bool {
		now := time.Now()
		blind, looked = max(blind, now.Sub(looked)), now
		for _, pid := range pids {
			if moves(pid) {
				moved = time.Now()
				return false
			}
		}
		return true
	}, patience, "5ms").Should(BeTrue())
	if blind > time.Second {
		b.Logf("nobody looked for %s, so nothing is said of when they stopped", blind)
		return
	}
	b.Expect(moved.Sub(since)).To(BeNumerically("<", b.control.ttl), "before anybody else may start them")
}

func TestCellThatIsCutOffStopsWhatMayRunElsewhere(t *testing.T) {
	t.Parallel() // it mostly waits
	b := newBench(t)
	b.control.ttl = realTTL
	b.start()
	fixed, floating, bare := b.trio()
	b.control.cutOff(true)
	cut := time.Now()
	b.stopWithinTTL(cut, floating, bare)
	b.gone(floating)
	b.gone(bare)
	b.Eventually(b.volumes.history, patience).Should(ContainElement("detach volume-1"))
	b.Expect(running(fixed)).To(BeTrue())

	// Work from before the cut must not be believed: meanwhile 2 was moved.
	b.control.set(func(c *control) {
		c.work.Instances = c.work.Instances[:2]
		c.reports, c.cut = nil, false
	})
	b.Expect(b.serving(1)).NotTo(Equal(floating))
	b.Expect(b.serving(0)).To(Equal(fixed))
	b.Eventually(b.state(2), patience).Should(BeEmpty())
	b.Expect(b.control.story(2)).NotTo(ContainElement("serving"))
	b.Expect(b.control.last(1).StartedAfter).To(Equal(model.AfterInterrupt))
}

// TestAStartUnderWayEndsWithTheLease: what floats must not come up here when it
// may have come up elsewhere; what is fixed may.
func TestAStartUnderWayEndsWithTheLease(t *testing.T) {
	t.Parallel() // it mostly waits
	b := newBench(t)
	b.control.ttl = 3 * time.Second
	comeUp := b.volumes.hangOn("volume-0")
	defer b.volumes.hangOn("volume-1")()
	b.start()
	b.control.give(
		instance(0, sleeping, b.mounted("volume-0", "persistent")),
		instance(1, sleeping, b.mounted("volume-1", "shared")))
	b.Eventually(b.volumes.hung, patience).Should(Equal(2))

	b.control.cutOff(true)

	b.Eventually(b.volumes.hung, patience).Should(Equal(1))
	comeUp()
	b.Eventually(b.volumes.history, patience).Should(Equal([]string{"attach volume-0"}))
}

func TestCellThatIsReachedAgainGoesOnWithUnchangedWork(t *testing.T) {
	t.Parallel() // it mostly waits
	b := newBench(t)
	b.control.ttl = 3 * time.Second
	b.start()
	_, floating, bare := b.trio()
	b.control.cutOff(true)
	b.gone(floating)
	b.gone(bare)
	b.control.mu.Lock()
	b.control.reports = nil
	b.control.mu.Unlock()
	b.control.cutOff(false)
	b.serving(1)
	b.serving(2)
}

func TestShortCutIsNotNoticed(t *testing.T) {
	t.Parallel() // it mostly waits
	b := newBench(t)
	b.control.ttl = 6 * time.Second // it is fenced after four
	b.start()
	fixed, floating, bare := b.trio()
	b.control.cutOffFor(3)
	b.Consistently(func() bool { return running(fixed) && running(floating) && running(bare) }, "5s").Should(BeTrue())
	b.Expect(b.control.isCut()).To(BeFalse(), "it was, for three reports")
}

func TestAgentThatCrashedDoesNotBeginANewLeaseByItself(t *testing.T) {
	t.Parallel() // it mostly waits
	b := newBench(t)
	b.control.ttl = realTTL
	agent := b.spawn(b.serve())
	fixed, floating, bare := b.trio()
	b.control.cutOff(true)
	cut := time.Now()
	kill(b, agent)
	b.start()
	b.stopWithinTTL(cut, floating, bare)
	b.gone(floating)
	b.gone(bare)
	b.Expect(running(fixed)).To(BeTrue())
}

func TestAgentThatWasReplacedStopsEverythingAndEnds(t *testing.T) {
	t.Parallel() // it mostly waits
	b := newBench(t)
	b.control.ttl = 600 * time.Millisecond
	b.start()
	fixed, floating, bare := b.trio()
	b.control.set(func(c *control) { c.superseded = true })
	var err error
	b.Eventually(b.ended, patience).Should(Receive(&err))
	for _, pid := range []int{fixed, floating, bare} {
		b.Expect(running(pid)).To(BeFalse())
	}
	b.Expect(client.Superseded(err)).To(BeTrue())
	b.Expect(err).To(MatchError(ContainSubstring("belongs to another agent now")))
}
