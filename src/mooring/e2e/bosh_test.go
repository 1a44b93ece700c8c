package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director"
	"mooring/director/fakedirector"
)

// several are two apps of which every instance has data: one that can spare
// two instances, one that can spare one.
var several = apps{"1": {6, 2}, "2": {3, 1}}

// asOperator calls the Director as the bosh CLI does.
func (d *deployment) asOperator() *director.Client {
	ca, err := os.ReadFile(os.Getenv("MOORING_DIRECTOR_CA"))
	if err != nil {
		d.t.Fatal(err)
	}
	c, err := director.New(director.Config{URL: os.Getenv("MOORING_DIRECTOR"), CA: ca, Client: "moor", Secret: "secret", Poll: 50 * time.Millisecond})
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

// Whatever BOSH does to cells, and however many it would take at once: the
// policies are kept, and no host is touched before it stands quiet.
func TestBOSHObeysThePolicies(t *testing.T) {
	d := deploy(t, 6)
	d.push(several)
	operator := d.asOperator()
	asked := 0
	converge := func(state string) func(maxInFlight string, canaries int) int {
		return func(maxInFlight string, _ int) int { // its canaries are those of the manifest
			asked++
			task, err := operator.ConvergeGroup(t.Context(), "mooring", "cell", state, maxInFlight, fmt.Sprint(asked))
			if err != nil {
				t.Fatal(err)
			}
			return task
		}
	}
	deploys := func(action string) func(maxInFlight string, canaries int) int {
		return func(maxInFlight string, canaries int) int {
			return d.Deploy(fakedirector.Update{Action: action, MaxInFlight: maxInFlight, Canaries: canaries})
		}
	}
	// Three cells in an AZ: one, two or all of them at once.
	for _, action := range []struct {
		what string
		do   func(maxInFlight string, canaries int) (task int)
	}{
		{"a deploy of new configuration", deploys(fakedirector.Restart)},
		{"a deploy of a new stemcell", deploys(fakedirector.Recreate)},
		{"recreate", converge("recreate")},
		{"restart", converge("restart")},
	} {
		for canaries, inFlight := range []string{"100%", "1", "2"} { // none with all at once
			d.run(fmt.Sprintf("%s, max_in_flight %s, canaries %d", action.what, inFlight, canaries), func(t *testing.T) {
				g := NewWithT(t)
				d.mu.Lock()
				d.most = 0
				d.mu.Unlock()
				began, watch := time.Now(), d.watch(several)
				g.Expect(d.ends(action.do(inFlight, canaries))).To(Succeed())
				d.obeyed(several, watch())
				if inFlight == "100%" {
					g.Expect(d.most).To(BeNumerically(">=", 2), "what the policies allow is used")
				}
				t.Logf("%s, %d at once", time.Since(began).Round(100*time.Millisecond), d.most)
				d.serve(several)
				d.nothingLeft()
			})
		}
	}
	d.run("the gate's log", func(t *testing.T) {
		NewWithT(t).Expect(d.said("cell-2")).To(And(
			ContainSubstring("BOSH wants to restart cell cell-2; asking for leave"),
			ContainSubstring("BOSH wants to recreate cell cell-2; asking for leave"),
			MatchRegexp(`gate: plan gate-mooring-restart-\d{4}-\d{6}: interrupting: `),
			ContainSubstring("open: cell cell-2 is quiesced and may be stopped"),
			ContainSubstring("open: cell cell-2 is back in service")))
	})
	for _, state := range []string{"stopped", "detached"} {
		for _, inFlight := range []string{"100%", "1"} {
			d.run(state+", max_in_flight "+inFlight, func(t *testing.T) { d.stopAndStart(t, inFlight, converge(state), converge("started")) })
		}
	}
	for _, in := range []struct {
		maxInFlight string
		remove      []string
		left        string
	}{{"100%", []string{"cell-5", "cell-4"}, "4"}, {"1", []string{"cell-3", "cell-2"}, "2"}} {
		d.run("scale-in, max_in_flight "+in.maxInFlight, func(t *testing.T) {
			watch := d.watch(several)
			task := d.Deploy(fakedirector.Update{Remove: in.remove, MaxInFlight: in.maxInFlight})
			NewWithT(t).Expect(d.ends(task)).To(Succeed())
			d.obeyed(several, watch())
			d.serve(several)
			d.Eventually("moor cells | grep -c ^cell-", in.left)
			d.nothingLeft()
		})
	}
	d.run("delete-deployment", func(t *testing.T) { d.deleteDeployment(t) })
}

// stopAndStart has BOSH stop every cell. Those that the policies can spare
// stop, the others wait, until somebody cancels that and starts all again.
func (d *deployment) stopAndStart(t *testing.T, inFlight string, stop, start func(maxInFlight string, canaries int) int) {
	g := NewWithT(t)
	watch := d.watch(several)
	task := stop(inFlight, 0)
	stopped := func() int { d.mu.Lock(); defer d.mu.Unlock(); return len(d.halted) }
	g.Eventually(stopped, "30s").Should(BeNumerically(">=", 1))
	g.Consistently(stopped, "1s").Should(BeNumerically("<=", 2), "of an AZ of three")
	g.Expect(d.asOperator().Cancel(t.Context(), task)).To(Succeed())
	g.Expect(d.ends(task)).To(MatchError(Or(ContainSubstring("is cancelled"), ContainSubstring("is error"))))

	g.Expect(d.ends(start(inFlight, 0))).To(Succeed())
	d.obeyed(several, watch())
	g.Expect(stopped()).To(BeZero())
	d.serve(several)
	d.nothingLeft()
}

// deleteDeployment lets BOSH take every cell at once. What the policies do not
// allow holds the last of them, until the people whose data it is let it go.
func (d *deployment) deleteDeployment(t *testing.T) {
	g := NewWithT(t)
	watch := d.watch(several)
	task := d.DeleteDeployment()
	d.Eventually("moor stuck", "STUCK")
	g.Eventually(func() string {
		said := ""
		for i := range 6 {
			said += d.said(fmt.Sprintf("cell-%d", i))
		}
		return strings.Join(regexp.MustCompile(`retire-.* STUCK: .*`).FindAllString(said, -1), "\n")
	}, "10s").Should(MatchRegexp(`STUCK: .*; .* must see to it, or somebody answer: moor resolve gate-mooring-retire-`))
	d.serve(several)
	d.obeyed(several, watch())
	d.Must("moor delete app1 --force; moor delete app2 --force")
	g.Expect(d.ends(task)).To(Succeed())
	d.obeyed(nil, nil)
}

// The emergency exit works on the cell alone, with no control plane at all,
// and is told of when there is one again.
func TestTheGateIsOpenedByHandWithoutAControlPlane(t *testing.T) {
	g := NewWithT(t)
	d := deploy(t, 2)
	d.push(apps{"1": {2, 1}})
	d.mu.Lock()
	d.hooksAPI = "http://127.0.0.1:1" // nobody is there
	d.mu.Unlock()
	task := d.Deploy(fakedirector.Update{Action: fakedirector.Restart, MaxInFlight: "1"})
	g.Eventually(func() string { return d.said("cell-0") }, "30s").Should(ContainSubstring("the control plane does not answer, so cell cell-0 waits; cloud ops can bring it back, or open the gate on the cell: moor gate open --reason WHY"))

	d.mu.Lock()
	d.hooksAPI = d.URL // for post-start, which is yet to come
	d.mu.Unlock()
	out, err := d.Sh("moor gate open --dir " + d.gateDir("cell-0"))
	g.Expect(err).To(HaveOccurred(), out)
	g.Expect(out).To(ContainSubstring("--reason"))
	d.Must("env -u MOORING_API moor gate open --dir " + d.gateDir("cell-0") + " --reason INC-1 --by olga")
	g.Eventually(func() string { return d.said("cell-0") }, "30s").Should(And(
		ContainSubstring("OPENED BY HAND by olga (INC-1): the lifecycle policies are NOT kept for cell cell-0"),
		ContainSubstring("it is told when the cell returns")))
	overruled := func() []string { d.mu.Lock(); defer d.mu.Unlock(); return slices.Clone(d.unready) }
	g.Eventually(overruled, "30s").Should(ConsistOf(ContainSubstring("restart of cell-0 with instances")), "that is what it is for")

	g.Expect(d.ends(task)).To(Succeed())
	g.Expect(overruled()).To(HaveLen(1), "cell-1 was asked")
	g.Expect(d.Must("moor events --cell cell-0")).To(And(ContainSubstring("the gate of cell cell-0 was opened by hand"), ContainSubstring("INC-1")))
	g.Expect(filepath.Glob(filepath.Join(d.gateDir("cell-0"), "*"))).To(BeEmpty(), "an opening is used once")
}
