package vm

import (
	"net/netip"
	"os"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
)

func newCloud(t *testing.T) *Cloud {
	t.Helper()
	if missing := Missing(); missing != "" {
		t.Skip("no VM is made: " + missing)
	}
	g := NewWithT(t)
	dir, err := os.MkdirTemp("", "moor-vm-")
	g.Expect(err).NotTo(HaveOccurred())
	c, err := NewCloud(Config{Dir: dir})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		g.Expect(c.Close()).To(Succeed())
		g.Expect(os.RemoveAll(dir)).To(Succeed())
	})
	return c
}

// address is the n-th of the network's first subnet.
func (c *Cloud) address(n byte) string {
	four := c.Prefix().Addr().As4()
	four[2], four[3] = 1, n
	return netip.AddrFrom4(four).String()
}

// sh runs a script in a VM, as root, and returns what it printed.
func (vm *VM) sh(t *testing.T, script string) string {
	t.Helper()
	said, err := vm.output(t.Context(), "bash", "-euc", script)
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), said)
	return said
}

func TestVM_HasItsOwnDisksNamesAndProcesses(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t)
	one, err := c.Create("cell-one", c.address(2), true)
	g.Expect(err).NotTo(HaveOccurred())
	two, err := c.Create("cell-two", c.address(3), false)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = c.Create("cell-one", c.address(4), true)
	g.Expect(err).To(MatchError(ContainSubstring("it is there")))

	g.Expect(c.Name(map[string][]string{"two.cell.default.mooring.bosh": {c.address(3)}})).To(Succeed())
	g.Expect(one.sh(t, "getent hosts two.cell.default.mooring.bosh")).To(ContainSubstring(c.address(3)))
	two.sh(t, "setsid sleep 60 >/dev/null 2>&1 & ")
	g.Expect(one.sh(t, "cat /proc/[0-9]*/comm")).NotTo(ContainSubstring("setpriv"))
	g.Expect(one.sh(t, "stat -c %T -f /var/vcap/store; id -u vcap; ulimit -Hn; hostname")).To(MatchRegexp(`\n1000\n4096\ncell-one\n$`))
	g.Expect(two.sh(t, "mountpoint -q /var/vcap/store || echo none")).To(Equal("none\n"))
	_, err = one.output(t.Context(), "bash", "-c", "ulimit -Hn 5000")
	g.Expect(err).To(HaveOccurred(), "root in a VM may not raise it")

	one.sh(t, "echo kept >/var/vcap/store/file; echo lost >/var/vcap/data/file; ln -s /bin/true /usr/local/bin/only-here")
	g.Expect(one.Delete()).To(Succeed())
	again, err := c.Create("cell-one", c.address(2), true)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.sh(t, "cat /var/vcap/store/file; ls /var/vcap/data /usr/local/bin")).To(And(HavePrefix("kept\n"), Not(ContainSubstring("file")), Not(ContainSubstring("only-here"))))
	g.Expect("/usr/local/bin/only-here").NotTo(BeAnExistingFile())
	g.Expect(two.sh(t, "curl --silent --max-time 2 http://"+c.address(2)+":1 || echo $?")).To(Equal("7\n"), "the new VM refuses the connection, where the old one was")
}

func TestVM_SaysWhichScriptsFailedAndHowProcessesAre(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t)
	vm, err := c.Create("cell-one", c.address(2), false)
	g.Expect(err).NotTo(HaveOccurred())
	process := func(name, start string) *deployment.RenderedJob {
		return &deployment.RenderedJob{Name: name, Files: map[string]string{
			"bin/ctl":       "#!/bin/bash\nif [ $1 = start ]; then " + start + "; else kill $(</var/vcap/sys/run/" + name + ".pid); fi\n",
			"bin/pre-start": "#!/bin/bash\necho why >&2\nexit 3\n",
			"bin/pre-stop":  "#!/bin/bash\ntest \"$BOSH_VM_NEXT_STATE\" = keep\n",
		}, Monit: "check process " + name + "\n  with pidfile /var/vcap/sys/run/" + name + ".pid\n" +
			"  start program \"/var/vcap/jobs/" + name + "/bin/ctl start\" with timeout 2 seconds\n  stop program \"/var/vcap/jobs/" + name + "/bin/ctl stop\"\n  group vcap\n"}
	}
	good := process("good", "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $! >/var/vcap/sys/run/good.pid")
	bad := process("bad", "true")
	delete(good.Files, "bin/pre-start")
	g.Expect(vm.Configure([]*deployment.RenderedJob{good, bad})).To(Succeed())
	g.Expect(vm.Run(t.Context(), "pre-start", nil)).To(MatchError("1 of 1 pre-start scripts failed. Failed Jobs: bad. (bad: exit status 3: why)"))
	g.Expect(vm.Run(t.Context(), "post-start", nil)).To(Succeed(), "no job has one")
	g.Expect(vm.Run(t.Context(), "pre-stop", []string{"BOSH_VM_NEXT_STATE=keep"})).To(Succeed())

	g.Expect(vm.Start(t.Context())).To(Succeed())
	g.Eventually(func() []string { return vm.NotRunning(t.Context()) }, "20s").Should(ConsistOf("bad"))
	g.Expect(vm.State(t.Context())).To(Or(Equal(Failing), Equal(Starting)))

	g.Expect(vm.Configure([]*deployment.RenderedJob{good})).To(Succeed())
	g.Expect(vm.Start(t.Context())).To(Succeed())
	g.Eventually(func() string { return vm.State(t.Context()) }, "20s").Should(Equal(Running))
	g.Expect(vm.Stop(t.Context())).To(Succeed())
	g.Expect(vm.State(t.Context())).To(Equal(Stopped))
	g.Expect(vm.sh(t, "pgrep -x sleep | wc -l")).To(Equal("1\n"), "that of the first process alone")
}
