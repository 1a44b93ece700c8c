package fakedirector

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
	"mooring/director/fakedirector/vm"
)

// probes is a deployment of one job that notes what is done to it.
const probes = `
name: probes
releases: [{name: probe, version: latest}]
stemcells: [{alias: default, os: ubuntu-jammy, version: latest}]
update: {canaries: 1, max_in_flight: 2, canary_watch_time: 1000-4000, update_watch_time: 1000-4000}
instance_groups:
- name: probe
  azs: [z1, z2]
  instances: 4
  vm_type: default
  stemcell: default
  persistent_disk_type: default
  networks: [{name: default}]
  jobs:
  - name: probe
    release: probe
    properties: {}
`

// prober is a Director with the probes deployed.
type prober struct {
	*Director
	t *testing.T
}

func newProber(t *testing.T) *prober {
	t.Helper()
	if missing := vm.Missing(); missing != "" {
		t.Skip("nothing is deployed: " + missing)
	}
	g := NewWithT(t)
	dir, err := os.MkdirTemp("", "moor-probes-")
	g.Expect(err).NotTo(HaveOccurred())
	cloud, err := vm.NewCloud(vm.Config{Dir: dir})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		g.Expect(cloud.Close()).To(Succeed())
		g.Expect(os.RemoveAll(dir)).To(Succeed())
	})
	release, err := deployment.ReadRelease("testdata/probe")
	g.Expect(err).NotTo(HaveOccurred())
	config := deployment.DefaultCloud()
	config.Networks = cloud.Networks(config.AZs)
	d := New(Config{Deployment: "probes", Group: "probe", Cloud: cloud,
		Planner: &deployment.Director{Releases: map[string]*deployment.Release{"probe": release}, Cloud: config, Config: deployment.NewConfigServer()}})
	t.Cleanup(d.Close)
	return &prober{Director: d, t: t}
}

// deploy deploys the probes with changes to them, and returns what was logged of
// the task, and its error.
func (p *prober) deploy(how Deploy, changes ...deployment.Operation) (events []event, err error) {
	p.t.Helper()
	g := NewWithT(p.t)
	manifest, err := deployment.Interpolate([]byte(probes), []deployment.Ops{changes}, nil)
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	id := p.DeployManifest(manifest, how)
	err = p.Wait(ctx, id)
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(string(p.tasks[id-1].events)) {
		var e event
		g.Expect(json.Unmarshal([]byte(line), &e)).To(Succeed())
		events = append(events, e)
	}
	return events, err
}

type event struct {
	Stage, Task, State string
	Data               struct{ Status string }
}

// property is a change of a property of the probe.
func property(name string, value any) deployment.Operation {
	return deployment.Operation{Type: "replace", Path: "/instance_groups/name=probe/jobs/name=probe/properties/" + name + "?", Value: value}
}

// steps are what the log says of one instance.
func steps(events []event, id string) []string {
	var all []string
	for _, e := range events {
		if strings.Contains(e.Task, id) && e.State == "in_progress" {
			all = append(all, e.Data.Status)
		}
	}
	return all
}

// begun lists the instances in the order in which a stage began with them.
func begun(events []event, stage string) []string {
	var all []string
	for _, e := range events {
		if e.Stage == stage && e.State == "started" {
			all = append(all, e.Task)
		}
	}
	return all
}

// did is what was done to an instance since this was last asked.
func (p *prober) did(id string) []string {
	p.t.Helper()
	path := p.VM(id).Path("data/did")
	text, err := os.ReadFile(path)
	NewWithT(p.t).Expect(err).NotTo(HaveOccurred())
	NewWithT(p.t).Expect(os.Remove(path)).To(Succeed())
	var all []string
	for line := range strings.Lines(string(text)) {
		all = append(all, strings.TrimSpace(line))
	}
	return all
}

func TestDeployManifest_TakesEachInstanceThroughTheNineSteps(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newProber(t)
	events, err := p.deploy(Deploy{})
	g.Expect(err).NotTo(HaveOccurred())
	probes := p.Deployed().Group("probe").Instances
	starts := []string{"installing packages", "configuring jobs", "executing pre-start", "starting jobs", "executing post-start"}
	for _, i := range probes {
		g.Expect(steps(events, i.ID)).To(Equal(starts))
		g.Expect(p.did(i.ID)).To(Equal([]string{"pre-start", "start", "post-start"}))
	}
	g.Expect(begun(events, "Creating missing vms")).To(HaveLen(4))
	order := begun(events, "Updating instance")
	g.Expect(order[0]).To(HaveSuffix(" (canary)"))
	g.Expect(order[0]).To(ContainSubstring(probes[0].ID), "the bootstrap instance goes first")
	g.Expect(slices.ContainsFunc(order[1:2], func(task string) bool { return strings.Contains(task, probes[1].ID) })).To(BeTrue(), "then the other one of its AZ")

	events, err = p.deploy(Deploy{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(events).To(BeEmpty(), "nothing has changed")

	stops := []string{"executing pre-stop", "executing drain", "stopping jobs", "executing post-stop"}
	events, err = p.deploy(Deploy{}, property("text", "second"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, i := range probes {
		g.Expect(steps(events, i.ID)).To(Equal(slices.Concat(stops, starts)))
		g.Expect(p.did(i.ID)).To(Equal([]string{"pre-stop keep", "stop", "post-stop", "pre-start", "start", "post-start"}))
	}

	before := p.VM(probes[0].ID)
	events, err = p.deploy(Deploy{Recreate: true, SkipDrain: true}, property("text", "second"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(steps(events, probes[0].ID)).To(Equal(slices.Concat([]string{"skipped pre-stop & drain", "stopping jobs", "executing post-stop"}, starts)))
	g.Expect(p.VM(probes[0].ID)).NotTo(BeIdenticalTo(before))
	g.Expect(p.did(probes[0].ID)).To(Equal([]string{"pre-start", "start", "post-start"}), "on a VM that has seen nothing before")
}

func TestDeployManifest_EndsAtAnInstanceThatDoesNotRun(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newProber(t)
	_, err := p.deploy(Deploy{})
	g.Expect(err).NotTo(HaveOccurred())
	first := p.Deployed().Group("probe").Instances[0]

	events, err := p.deploy(Deploy{}, property("broken", true))
	g.Expect(err).To(MatchError(ContainSubstring("'probe/" + first.ID + " (0)' is not running after update. Review logs for failed jobs: probe")))
	g.Expect(begun(events, "Updating instance")).To(HaveLen(1), "the canary is the only one that was touched")

	events, err = p.deploy(Deploy{}, property("broken", false))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(begun(events, "Updating instance")).To(HaveLen(1), "the others are what they were")
}

func TestDeployManifest_RefusesWhatADirectorRefuses(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newProber(t)
	_, err := p.deploy(Deploy{DryRun: true}, deployment.Operation{Type: "replace", Path: "/instance_groups/name=probe/azs", Value: []any{"z9"}})
	g.Expect(err).To(HaveOccurred())
	g.Expect(p.Deployed()).To(BeNil())
}
