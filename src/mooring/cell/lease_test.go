package cell

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// leased gives an agent that does not run, with a lease.
func leased(t *testing.T) *Agent {
	a := New(Config{Cell: model.Cell{ID: "cell-1"}, RunDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	lease, err := openLease(filepath.Join(a.cfg.RunDir, "lease.json"))
	if err != nil {
		t.Fatal(err)
	}
	a.lease = lease
	return a
}

func TestLeaseIsCountedFromTheSendingAndKept(t *testing.T) {
	g := NewWithT(t)
	l := leased(t).lease
	left, moved := l.left()
	g.Expect(left).To(BeNumerically("<=", 0), "none was given")

	sent := time.Now().Add(-10 * time.Second)
	g.Expect(l.extend(sent, time.Minute)).To(Succeed())
	g.Expect(moved).To(BeClosed())
	left, _ = l.left()
	g.Expect(left).To(BeNumerically("~", 30*time.Second, time.Second))
	g.Expect(l.extend(sent.Add(-time.Second), time.Minute)).To(Succeed())
	again, _ := l.left()
	g.Expect(again).To(BeNumerically("~", left, time.Second), "an older answer shortens nothing")

	kept, err := openLease(l.path)
	g.Expect(err).NotTo(HaveOccurred())
	left, _ = kept.left()
	g.Expect(left).To(BeNumerically("~", 30*time.Second, time.Second))
	other, ttl, err := readLease(l.path, "another boot")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(other + ttl).To(BeZero())
}

func TestFenceDoesNotOvertakeARenewal(t *testing.T) {
	g := NewWithT(t)
	a := leased(t)
	a.fenced = true
	g.Expect(a.lease.extend(time.Now(), time.Minute)).To(Succeed())
	a.contact.make(t.Context())
	within, err := a.contact.wait(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(a.apply(t.Context(), within, &model.Work{Revision: 1})).To(BeTrue())
	g.Expect(a.fenced).To(BeFalse())

	a.fenceIfOver() // decided on before the renewal, carried out after it
	g.Expect(a.fenced).To(BeFalse())
	g.Expect(within.Err()).NotTo(HaveOccurred())
}

func TestWorkOfALostContactIsNotTaken(t *testing.T) {
	g := NewWithT(t)
	a := leased(t)
	g.Expect(a.lease.extend(time.Now(), time.Minute)).To(Succeed())
	a.contact.make(t.Context())
	within, err := a.contact.wait(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	a.fence()
	a.contact.make(context.Background()) // reached again meanwhile
	g.Expect(a.apply(t.Context(), within, &model.Work{Revision: 1})).To(BeFalse())
	g.Expect(a.fenced).To(BeTrue())
	g.Expect(a.known).To(BeFalse())
}
