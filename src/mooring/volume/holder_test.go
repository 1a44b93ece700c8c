package volume

import (
	"errors"
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

var (
	a1 = identity{"a", "boot-1"}
	a2 = identity{"a", "boot-2"}
	b1 = identity{"b", "boot-1"}
)

func attachedBy(t *testing.T, who identity, epoch int64) holder {
	t.Helper()
	h, err := holder{}.attach("v", who, epoch, false)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return h
}

func TestOnlyOneCellHoldsAVolume(t *testing.T) {
	g := NewWithT(t)
	held := attachedBy(t, a1, 1)

	_, err := held.attach("v", b1, 2, false)
	g.Expect(err).To(MatchError(ErrHeld))
	g.Expect(err.Error()).To(And(ContainSubstring("cell a"), ContainSubstring("boot-1"), ContainSubstring("epoch 1")))

	_, err = held.attach("v", b1, 1, true)
	g.Expect(err).To(MatchError(ErrHeld), "stealing needs a newer epoch")

	given, did, err := held.detach("v", a1)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(did).To(BeTrue())
	taken, err := given.attach("v", b1, 2, false)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(taken.heldBy(b1)).To(BeTrue())
	g.Expect(taken.StolenFrom).To(BeEmpty(), "it was given up, not stolen")
}

func TestAStolenVolumeIsRefusedToItsOldHolder(t *testing.T) {
	g := NewWithT(t)
	stolen, err := attachedBy(t, a1, 1).attach("v", b1, 2, true)
	g.Expect(err).NotTo(HaveOccurred())

	_, err = stolen.attach("v", a1, 1, true)
	g.Expect(err).To(MatchError(ErrFenced))
	_, did, err := stolen.detach("v", a1)
	g.Expect(err).To(MatchError(ErrFenced))
	g.Expect(did).To(BeFalse())
	g.Expect(stolen.heldBy(b1)).To(BeTrue())

	given, _, err := stolen.detach("v", b1)
	g.Expect(err).NotTo(HaveOccurred())
	back, err := given.attach("v", a1, 3, false)
	g.Expect(err).NotTo(HaveOccurred())
	_, did, err = back.detach("v", a1)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(did).To(BeTrue())
}

func TestACellTakesChargeOfWhatNobodyHolds(t *testing.T) {
	g := NewWithT(t)
	held := attachedBy(t, a1, 1)
	g.Expect(held.charge(b1, 2, false)).To(Equal(held), "it is held by right")
	g.Expect(held.charge(b1, 1, true)).To(Equal(held), "stealing needs a newer epoch")

	given, _, err := held.detach("v", a1)
	g.Expect(err).NotTo(HaveOccurred())
	charged := given.charge(b1, 2, false)
	g.Expect(charged).To(And(HaveField("Cell", "b"), HaveField("Attached", false), HaveField("StolenFrom", BeEmpty())))
	_, err = charged.attach("v", a1, 1, false)
	g.Expect(err).To(MatchError(ErrFenced), "there is newer work")

	stolen := held.charge(b1, 2, true)
	g.Expect(stolen.taken(b1)).To(BeFalse())
	_, _, err = stolen.detach("v", a1)
	g.Expect(err).To(MatchError(ErrFenced))
}

func TestANewBootReplacesTheOldOneForGood(t *testing.T) {
	g := NewWithT(t)
	rebooted, err := attachedBy(t, a1, 1).attach("v", a2, 1, false)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(rebooted.heldBy(a2)).To(BeTrue())

	_, err = rebooted.attach("v", a1, 1, false)
	g.Expect(err).To(MatchError(ErrFenced))
	_, _, err = rebooted.detach("v", a1)
	g.Expect(err).To(MatchError(ErrFenced))
	g.Expect(rebooted.taken(a1)).To(BeTrue(), "an old boot does not take a new one's volume for free")
	g.Expect(attachedBy(t, a1, 1).taken(a2)).To(BeFalse(), "what an earlier boot attached is not attached any more")
}

func TestDetachingWhatIsNotHeldIsNoError(t *testing.T) {
	g := NewWithT(t)
	_, did, err := attachedBy(t, b1, 1).detach("v", a1)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(did).To(BeFalse())
}

// Whatever cells and boots try, the epoch never goes back, an older epoch
// never wins over a newer one, and nobody is displaced without a steal or a
// new boot of the same cell.
func TestNobodyIsDisplacedUnasked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h holder
		for i := range rapid.IntRange(1, 40).Draw(t, "operations") {
			who := identity{
				rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "cell"),
				fmt.Sprint("boot-", rapid.IntRange(1, 3).Draw(t, "boot")),
			}
			before := h
			if rapid.Bool().Draw(t, "detach") {
				after, did, err := h.detach("v", who)
				if (err != nil || !did) && after.Attached != before.Attached {
					t.Fatalf("operation %d: a detach that did nothing changed %+v to %+v", i, before, after)
				}
				if did && before.Cell != who.cell {
					t.Fatalf("operation %d: %s detached the volume of %s", i, who, before.Cell)
				}
				h = after
				continue
			}
			epoch, steal := int64(rapid.IntRange(0, 6).Draw(t, "epoch")), rapid.Bool().Draw(t, "steal")
			if rapid.Bool().Draw(t, "charge") {
				h = h.charge(who, epoch, steal)
				switch {
				case h.Epoch < before.Epoch:
					t.Fatalf("operation %d: epoch went from %d back to %d", i, before.Epoch, h.Epoch)
				case before.Attached && !h.Attached && !steal:
					t.Fatalf("operation %d: %s displaced %s without stealing", i, who, before.Cell)
				case h.Attached && !before.Attached:
					t.Fatalf("operation %d: %s attached by taking charge", i, who)
				}
				continue
			}
			after, err := h.attach("v", who, epoch, steal)
			if err != nil {
				if !errors.Is(err, ErrHeld) && !errors.Is(err, ErrFenced) {
					t.Fatalf("operation %d: refused without saying why: %v", i, err)
				}
				continue
			}
			h = after
			switch {
			case !after.heldBy(who) || after.Epoch != epoch:
				t.Fatalf("operation %d: %s attached and %+v came out", i, who, after)
			case epoch < before.Epoch:
				t.Fatalf("operation %d: epoch went from %d back to %d", i, before.Epoch, epoch)
			case before.Cell != "" && before.Cell != who.cell && epoch == before.Epoch:
				t.Fatalf("operation %d: epoch %d was both of %s and %s", i, epoch, before.Cell, who.cell)
			case before.Attached && before.Cell != who.cell && !steal:
				t.Fatalf("operation %d: %s displaced %s without stealing", i, who, before.Cell)
			}
		}
	})
}
