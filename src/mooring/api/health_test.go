package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clientv3 "go.etcd.io/etcd/client/v3"

	"mooring/client"
	"mooring/model"
	"mooring/state"
	"mooring/state/statetest"
)

// fixtureOn is an API on an etcd of its own, with a probe.
func fixtureOn(t *testing.T, quota int64) (*fixture, *clientv3.Client) {
	t.Helper()
	g := NewWithT(t)
	members := statetest.StartCluster(t, 1, quota)
	raw, err := clientv3.New(clientv3.Config{Endpoints: statetest.Endpoints(members)})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { raw.Close() })
	f := &fixture{prefix: state.DefaultPrefix, ttl: time.Minute}
	f.store, err = state.Open(t.Context(), state.Config{Endpoints: statetest.Endpoints(members)})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { f.store.Close() })
	f.probe = state.NewProbe("node-1", nil)
	f.probe.Watch(f.store)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() { f.probe.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	f.url = f.serve(t, f.store)
	f.Client, err = client.New(client.Config{Endpoints: []string{f.url}})
	g.Expect(err).NotTo(HaveOccurred())
	return f, raw
}

func (f *fixture) health(t *testing.T) func() string {
	return func() string {
		status, content := f.read(t, "/healthz")
		return http.StatusText(status) + " " + content
	}
}

// says is a report of one instance, which changes the state.
func says(cell string, state model.InstanceState) model.Report {
	return model.Report{Boot: cell + "-boot-1", Start: cell + "-start-1", Registration: 1, Instances: []model.ActualInstance{{AppGUID: "a", Index: 0, State: state}}}
}

func TestQuota_IsWarnedOfThenUnhealthyAndCellsAreKept(t *testing.T) {
	const quota = 8 << 20
	g := NewWithT(t)
	f, raw := fixtureOn(t, quota)
	f.withCells(t, 1)
	g.Eventually(f.health(t), "20s", "100ms").Should(And(HavePrefix("OK"), ContainSubstring(`"status":"ok"`), Not(ContainSubstring("warnings"))))

	filler := strings.Repeat("x", 100<<10)
	fill := func() error { _, err := raw.Put(t.Context(), "filler", filler); return err }
	size := func() int64 {
		status, err := raw.Status(t.Context(), raw.Endpoints()[0])
		g.Expect(err).NotTo(HaveOccurred())
		return status.DbSize
	}
	for written := int64(len(filler)); size() < quota*85/100; written += int64(len(filler)) {
		g.Expect(fill()).To(Succeed())
		g.Eventually(size, "10s", "5ms").Should(BeNumerically(">=", written), "etcd writes a batch at a time")
	}
	g.Eventually(f.health(t), "20s", "100ms").Should(And(HavePrefix("OK"), ContainSubstring("etcd's quota is used up to ")), "well before")
	_, metrics := f.read(t, "/metrics")
	g.Expect(metrics).To(And(ContainSubstring(`mooring_state_problems{kind="state-filling"} 1`), ContainSubstring("mooring_state_quota_bytes 8.388608e+06")))

	g.Eventually(fill, "20s", "1ms").ShouldNot(Succeed())
	g.Eventually(f.health(t), "20s", "100ms").Should(And(HavePrefix("Service Unavailable"), ContainSubstring("etcd's quota is used up")))
	_, err := f.Push(t.Context(), plain("web", 1))
	g.Expect(err).To(refusal(http.StatusServiceUnavailable, "etcd's quota is used up"))
	lease, err := f.Report(t.Context(), "c1", says("c1", model.Serving))
	g.Expect(err).NotTo(HaveOccurred(), "the cell is not at fault")
	g.Expect(lease.TTL.D()).To(Equal(time.Minute))
	g.Expect(f.store.Snapshot().ActualInstancesOn("c1")).To(BeEmpty())

	now, err := raw.Get(t.Context(), "filler", clientv3.WithKeysOnly())
	g.Expect(err).NotTo(HaveOccurred())
	_, err = raw.Compact(t.Context(), now.Header.Revision)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = raw.Defragment(t.Context(), raw.Endpoints()[0])
	g.Expect(err).NotTo(HaveOccurred())
	_, err = raw.AlarmDisarm(t.Context(), &clientv3.AlarmMember{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(f.health(t), "20s", "100ms").Should(And(HavePrefix("OK"), Not(ContainSubstring("warnings"))))
	_, err = f.Report(t.Context(), "c1", says("c1", model.Serving))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.store.Snapshot().ActualInstancesOn("c1")).To(HaveLen(1), "a later report carries what waited")
}

func TestReads_CarryTheirAgeAndAreRefusedWhileTheMirrorHasStopped(t *testing.T) {
	g := NewWithT(t)
	f, raw := fixtureOn(t, 0)
	f.withCells(t, 1)
	get := func(path string) *http.Response {
		answer, err := http.Get(f.url + path)
		g.Expect(err).NotTo(HaveOccurred())
		answer.Body.Close()
		return answer
	}
	g.Expect(get("/v1/cells")).To(And(HaveHTTPStatus(http.StatusOK), HaveHTTPHeaderWithValue(AgeHeader, MatchRegexp(`^[0-3]$`))))

	_, err := raw.Put(t.Context(), f.prefix+"apps/x", "{")
	g.Expect(err).NotTo(HaveOccurred())
	for _, path := range []string{"/v1/cells", "/v1/apps", "/v1/stuck", "/v1/events", "/v1/cells/c1/work?wait=1s"} {
		g.Eventually(func() *http.Response { return get(path) }, "10s", "20ms").Should(HaveHTTPStatus(http.StatusServiceUnavailable), path)
	}
	_, err = f.Cells(t.Context())
	g.Expect(err).To(refusal(http.StatusServiceUnavailable, f.prefix+"apps/x"))
	g.Expect(f.health(t)()).To(And(HavePrefix("Service Unavailable"), ContainSubstring("apps/x")))
	for range 2 {
		_, err = f.Report(t.Context(), "c1", says("c1", model.Serving))
		g.Expect(err).NotTo(HaveOccurred(), "cells are kept")
	}
	_, metrics := f.read(t, "/metrics")
	g.Expect(metrics).To(And(ContainSubstring("mooring_state_follows 0\n"), ContainSubstring(`mooring_state_problems{kind="state-stopped"} 1`)))

	_, err = raw.Delete(t.Context(), f.prefix+"apps/x")
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() *http.Response { return get("/v1/cells") }, "10s", "20ms").Should(HaveHTTPStatus(http.StatusOK), "without a restart")
	g.Eventually(f.health(t), "10s", "100ms").Should(HavePrefix("OK"))

	_, err = raw.Put(t.Context(), f.prefix+"durations/hosts", "{")
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(f.health(t), "10s", "100ms").Should(And(HavePrefix("OK"), ContainSubstring("passed over: read record /mooring/durations/hosts")))
}
