package dev

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestFleetsDoNotShareASubnet(t *testing.T) {
	g := NewWithT(t)
	first, err := claimSubnets(0, 300)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(first.held).To(HaveLen(2), "for 250 cells each")

	second, err := claimSubnets(first.first, 6)
	g.Expect(err).NotTo(HaveOccurred())
	defer second.release()
	g.Expect(second.first).NotTo(BeElementOf(first.first, first.first+1))

	at := first.first
	first.release()
	again, err := claimSubnets(at, 6)
	g.Expect(err).NotTo(HaveOccurred())
	defer again.release()
	g.Expect(again.first).To(Equal(at), "a fleet that comes back keeps its addresses where it can")
}

func TestAddressesGoOnInTheNextSubnet(t *testing.T) {
	g := NewWithT(t)
	c := &claim{first: 7}
	g.Expect(c.address(0)).To(Equal("127.83.7.1"))
	g.Expect(c.address(249)).To(Equal("127.83.7.250"))
	g.Expect(c.address(250)).To(Equal("127.83.8.1"))
}
