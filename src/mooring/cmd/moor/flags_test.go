package main

import (
	"bytes"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// What others wrote is in the logs of the roles too.
func TestLogger_NothingInALineActsOnATerminal(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	const evil = "x\x1b[2J\u009b2J\u202ekcuts\u2028\r\nlevel=INFO msg=fine"
	loggerTo(&out, "cell").Warn(evil, "owner", evil, evil, evil)
	g.Expect(bytes.Count(out.Bytes(), []byte("\n"))).To(Equal(1), out.String())
	g.Expect(model.CheckLines(out.String(), 4096)).To(Succeed(), out.String())
}
