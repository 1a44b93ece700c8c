package deploys

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
	"mooring/director/fakedirector/vm"
)

// ofNodes deploys so many control nodes, and one cell.
func ofNodes(n int) asked {
	return asked{own: deployment.Ops{set("/instance_groups/name=control/instances", n), set("/instance_groups/name=cell/instances", 1)}}
}

// allServe expects that there are so many control nodes, that all their
// processes run, that each is a member of etcd, and that they know the cell.
func (s *site) allServe(t *testing.T, nodes int) {
	t.Helper()
	g := NewWithT(t)
	control := s.on("control")
	g.Expect(control).To(HaveLen(nodes))
	for _, node := range control {
		g.Expect(node.State(t.Context())).To(Equal(vm.Running), "%v", node.NotRunning(t.Context()))
		g.Eventually(func() error {
			_, err := node.Command(t.Context(), "/var/vcap/jobs/api/bin/dns/healthy").CombinedOutput()
			return err
		}, 30*time.Second, 200*time.Millisecond).Should(Succeed())
	}
	members, err := control[0].Command(t.Context(), "/var/vcap/jobs/etcd/bin/etcdctl", "member", "list").CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), "%s", members)
	g.Expect(strings.Count(string(members), ", started, ")).To(Equal(nodes), "%s", members)
	g.Expect(strings.Count(string(members), "\n")).To(Equal(nodes), "%s", members)
	g.Eventually(func() string { return s.moor(t, "", "cells", "--json") }, 30*time.Second, 200*time.Millisecond).
		Should(MatchRegexp(`"id": "` + s.instances("cell")[0].ID + `"(?s:.*)"present": true`))
}

func TestDeploy_ControlNodesComeAndGo(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := newSite(t)
	for _, nodes := range []int{1, 3, 5, 3} {
		t.Logf("%d control nodes", nodes)
		s.deploy(t, ofNodes(nodes))
		s.allServe(t, nodes)
	}

	t.Log("a control node whose disk is lost")
	lost := s.instances("control")[2]
	g.Expect(s.Lose(lost.ID)).To(Succeed())
	g.Expect(s.cloud.DeleteDisk("control-" + lost.ID)).To(Succeed())
	g.Expect(s.ends(t, s.Resurrect(lost.ID))).To(Succeed())
	s.allServe(t, 3)

	t.Log("all control nodes at once")
	var all []string
	for _, node := range s.instances("control") {
		g.Expect(s.Lose(node.ID)).To(Succeed())
		all = append(all, node.ID)
	}
	g.Expect(s.ends(t, s.Resurrect(all...))).To(Succeed())
	s.allServe(t, 3)
}

// One after the other, the first control node has no majority until the second
// one is updated: what needs etcd has to wait and count as running meanwhile.
func TestDeploy_FirstControlNodeWaitsForTheOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	update := "/instance_groups/name=control/update/"
	s.deploy(t, asked{own: append(ofNodes(3).own,
		set(update+"initial_deploy_az_update_strategy", "serial"), set(update+"max_in_flight", 1), set(update+"update_watch_time?", "5000-120000"))})
	s.allServe(t, 3)
}

// What a first deploy that failed has left is deleted without anybody's help: no
// API has served, and so there is no cell to wait for.
func TestDeploy_FailedFirstDeployIsDeleted(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := newSite(t)
	broken := asked{own: deployment.Ops{
		set("/instance_groups/name=control/jobs/name=api/properties/access?", map[string]any{"anyone": []any{"nonsense"}}),
		set("/instance_groups/name=control/update/update_watch_time?", "1000-20000"),
	}}
	g.Expect(s.ends(t, s.DeployManifest(broken.manifest(t), broken.how))).To(MatchError(MatchRegexp(`is not running after update\. Review logs for failed jobs: (.*, )?api`)))
	g.Expect(s.ends(t, s.DeleteDeployment())).To(Succeed())
}
