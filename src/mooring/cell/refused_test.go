package cell_test

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func (c *control) refuse(refuses bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuses = refuses
}

// What a control plane refuses may be the doing of an instance: unless it can
// be stopped, the cell never comes back.
func TestRefusedCell_StopsWhatItIsToldToAndComesBack(t *testing.T) {
	t.Parallel() // it mostly waits
	b := newBench(t)
	b.control.ttl = realTTL
	b.start()
	fixed, floating, bare := b.trio()
	b.control.refuse(true)
	began := time.Now()
	b.stopWithinTTL(began, floating, bare)
	b.gone(floating)
	b.gone(bare)
	b.Expect(running(fixed)).To(BeTrue())

	// The fixed one is deleted: it stops although nothing can be reported.
	b.control.set(func(c *control) { c.work.Instances = c.work.Instances[1:] })
	b.gone(fixed)
	b.Eventually(b.volumes.history, patience).Should(ContainElement("detach volume-0"))
	// What floats is wanted here still, and must not run without a lease.
	before := b.volumes.history()
	b.Consistently(b.volumes.history, "500ms").Should(Equal(before))

	b.control.set(func(c *control) { c.reports, c.refuses = nil, false })
	b.Expect(b.serving(1)).NotTo(Equal(floating))
	b.Expect(b.serving(2)).NotTo(Equal(bare))
	b.Eventually(b.state(0), patience).Should(BeEmpty())
}

func TestCrash_WhateverIsPrintedTheReportIsSmall(t *testing.T) {
	b := newBench(t)
	b.start()
	b.control.give(instance(0, `head -c 40000000 /dev/zero | tr "\0" x; echo; printf '\033[31mthe reason\n'; exit 1`))
	b.Eventually(b.state(0), patience).Should(Equal(model.Crashed))
	output := b.control.last(0).Output
	b.Expect(len(strings.Join(output, "\n"))).To(BeNumerically("<=", model.MaxTail))
	b.Expect(output).To(HaveExactElements(HavePrefix("(the beginning of this line is left out)"), `\u001b[31mthe reason`))
}

// An app that crashes is deleted like any other: what waits for its instances
// to stop hears that they have.
func TestCrash_WhatIsNotToRunAnyMoreHasStopped(t *testing.T) {
	b := newBench(t)
	b.start()
	crashing := instance(0, "exit 1")
	b.control.give(crashing)
	b.Eventually(b.state(0), patience).Should(Equal(model.Crashed))
	crashing.Run = false
	b.control.give(crashing)
	b.Eventually(b.state(0), patience).Should(Equal(model.Stopped))
}
