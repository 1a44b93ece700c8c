package release

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
)

// member is one etcd of a cluster, on a VM with an address of its own.
type member struct {
	*vm
	process *process
}

// cluster returns the etcds of three control nodes, installed and not yet running,
// at 127.0.0.2 to 127.0.0.4; move makes the last one's VM anew, at 127.0.0.5.
func cluster(t *testing.T) (move func(), members []*member) {
	t.Helper()
	director, manifest := newDirector(t), mooring(t, nil)
	manifest["instance_groups"] = []any{element(t, manifest, "instance_groups", "control")}
	network := deployment.Subnet{Range: "127.0.0.0/29", Gateway: "127.0.0.6", Reserved: []string{"127.0.0.1"}}
	onIPs(t, director, manifest, network, "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
	metrics := freePort(t)
	give(t, manifest, "etcd", map[string]any{"port": freePort(t), "peer_port": freePort(t), "metrics_port": metrics, "log_level": "warn"})
	prepared := prepare(t, director, manifest)
	for _, instance := range prepared.Group("control").Instances {
		m := &member{vm: newVM(t)}
		m.rewrites = map[string]string{"0.0.0.0": instance.IP, fmt.Sprint(metrics): fmt.Sprint(freePort(t))}
		m.install(t, instance)
		members = append(members, m)
	}
	move = func() {
		t.Helper()
		network.Reserved = append(network.Reserved, "127.0.0.4")
		onIPs(t, director, manifest, network, "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
		moved, err := director.Prepare(manifest, prepared)
		if err != nil {
			t.Fatal(err)
		}
		instance := moved.Group("control").Instances[2]
		NewWithT(t).Expect(instance.Changes(prepared.Instance(instance.ID))).To(ContainElement("network"))
		members[2].rewrites["0.0.0.0"] = instance.IP
		members[2].install(t, instance)
	}
	return move, members
}

// start starts a member as BOSH does.
func (m *member) start(t *testing.T) string {
	t.Helper()
	said := m.must(t, "etcd", "bin/pre-start", nil)
	m.process = m.bpm(t, "etcd")
	return said
}

// list is the cluster as the other members see it.
func (m *member) list(t *testing.T) string {
	t.Helper()
	script := fmt.Sprintf("#!/usr/bin/env bash\nset -eu\nsource %s/jobs/etcd/bin/membership\nmembers\n", m.dir)
	if err := os.WriteFile(m.path("jobs/etcd/bin/list"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	output, _ := m.run(t, "etcd", "bin/list", nil)
	return output
}

func TestMembersOfEtcdComeAndGo(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	move, members := cluster(t)
	started := WithTransform(func(m *member) int { return strings.Count(m.list(t), ", started, ") }, Equal(3))
	last := members[2]

	t.Log("a new cluster: the first two need each other, the third one joins")
	g.Expect(members[0].start(t)).To(ContainSubstring("cluster new"))
	members[0].must(t, "etcd", "bin/post-start", nil)
	g.Expect(members[1].start(t)).To(ContainSubstring("cluster new"))
	g.Eventually(last.list, 60*time.Second, 500*time.Millisecond).WithArguments(t).Should(MatchRegexp(`(?s)started.*started`))
	g.Expect(last.start(t)).To(ContainSubstring("cluster existing"))
	last.must(t, "etcd", "bin/post-start", nil)
	g.Eventually(last, 30*time.Second, 500*time.Millisecond).Should(started)

	t.Log("its disk is lost")
	last.process.stop()
	g.Expect(os.RemoveAll(last.path("store/etcd"))).To(Succeed())
	g.Expect(last.start(t)).To(ContainSubstring("the data of this member is gone: it leaves the cluster and joins anew"))
	last.must(t, "etcd", "bin/post-start", nil)
	g.Eventually(last, 30*time.Second, 500*time.Millisecond).Should(started)

	t.Log("its VM is made anew, at another address, with its disk")
	keep := []string{"BOSH_VM_NEXT_STATE=delete", "BOSH_INSTANCE_NEXT_STATE=keep", "BOSH_DEPLOYMENT_NEXT_STATE=keep"}
	last.must(t, "etcd", "bin/pre-stop", keep)
	last.process.stop()
	move()
	g.Expect(last.start(t)).To(ContainSubstring("telling the cluster that this member is now at https://127.0.0.5:"))
	last.must(t, "etcd", "bin/post-start", nil)
	g.Eventually(last, 30*time.Second, 500*time.Millisecond).Should(started)
	g.Expect(last.list(t)).To(ContainSubstring("https://127.0.0.5:"))

	t.Log("the deployment is deleted: nobody leaves")
	last.must(t, "etcd", "bin/pre-stop", []string{"BOSH_VM_NEXT_STATE=delete", "BOSH_INSTANCE_NEXT_STATE=delete", "BOSH_DEPLOYMENT_NEXT_STATE=delete"})
	g.Expect(last).To(started)

	t.Log("scale-in: it leaves, and may say so twice")
	gone := []string{"BOSH_VM_NEXT_STATE=delete", "BOSH_INSTANCE_NEXT_STATE=delete", "BOSH_DEPLOYMENT_NEXT_STATE=keep"}
	last.must(t, "etcd", "bin/pre-stop", gone)
	g.Expect(strings.Count(last.list(t), ", started, ")).To(Equal(2))
	g.Expect(last.must(t, "etcd", "bin/pre-stop", gone)).To(ContainSubstring("this member is not in the cluster (any more)"))
	g.Eventually(last.process.running, 30*time.Second, 100*time.Millisecond).Should(BeFalse(), "etcd ends when it was removed")

	t.Log("it is wanted back: what it had is set aside")
	g.Expect(last.start(t)).To(ContainSubstring("the cluster has removed this member; what it had is in"))
	last.must(t, "etcd", "bin/post-start", nil)
	g.Eventually(last, 30*time.Second, 500*time.Millisecond).Should(started)

	t.Log("all go, one after the other: the last one has nobody to leave")
	for _, m := range []*member{last, members[1]} {
		m.must(t, "etcd", "bin/pre-stop", gone)
		g.Eventually(m.process.running, 30*time.Second, 100*time.Millisecond).Should(BeFalse())
	}
	g.Expect(members[0].must(t, "etcd", "bin/pre-stop", gone)).To(ContainSubstring("this member is the last of the cluster"))
}
