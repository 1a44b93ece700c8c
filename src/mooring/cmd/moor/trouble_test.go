package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
	clientv3 "go.etcd.io/etcd/client/v3"

	"mooring/notify/notifytest"
	"mooring/state"
)

// health returns what asks for the health of the API at an address.
func health(listen string) func() (string, error) {
	return func() (string, error) {
		answer, err := http.Get("http://" + listen + "/healthz")
		if err != nil {
			return "", err
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		return fmt.Sprint(answer.StatusCode, " ", string(body)), err
	}
}

// alertsTo makes a file that has everything told to a webhook.
func alertsTo(t *testing.T, hook *notifytest.Sink) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "alerts.yml")
	NewWithT(t).Expect(os.WriteFile(file, fmt.Appendf(nil, "receivers: [{name: ops, webhook: {url: %q}}]\nroutes: [{receivers: [ops]}]\n", hook.URL), 0o600)).To(Succeed())
	return file
}

// said is all that a webhook took.
func said(hook *notifytest.Sink) func() string {
	return func() string {
		var all strings.Builder
		for _, body := range hook.Taken() {
			all.Write(body)
			all.WriteByte('\n')
		}
		return all.String()
	}
}

// A record that decides and cannot be read: people are told of it although
// nothing can be written, no role ends, and all goes on once it is gone.
func TestRoles_OutlastARecordThatCannotBeRead(t *testing.T) {
	g := NewWithT(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	etcd, err := state.StartEmbedded(ctx, state.EmbeddedConfig{Dir: t.TempDir(), ListenClient: "127.0.0.1:0"})
	g.Expect(err).NotTo(HaveOccurred())
	defer etcd.Close()
	raw, err := clientv3.New(clientv3.Config{Endpoints: etcd.Endpoints()})
	g.Expect(err).NotTo(HaveOccurred())
	defer raw.Close()
	hook, listen := notifytest.NewSink(t), freeAddress(t)
	url := etcd.Endpoints()[0]
	roles := []<-chan error{
		start(ctx, apiCommand(), "--etcd", url, "--listen", listen, "--name", "one"),
		start(ctx, schedulerCommand(), "--etcd", url, "--name", "one"),
		start(ctx, orchestratorCommand(), "--etcd", url, "--name", "one", "--alerts-config", alertsTo(t, hook)),
	}
	g.Eventually(health(listen), "30s", "100ms").Should(HavePrefix("200"))

	_, err = raw.Put(ctx, state.DefaultPrefix+"apps/x", "{")
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(said(hook), "30s", "100ms").Should(And(
		ContainSubstring(`"type":"mooring.stuck.opened"`), ContainSubstring(`"subject":"state-stopped@one"`), ContainSubstring(state.DefaultPrefix+"apps/x")))
	g.Eventually(health(listen), "10s", "100ms").Should(And(HavePrefix("503"), ContainSubstring("apps/x")))
	late := start(ctx, schedulerCommand(), "--etcd", url, "--name", "two")
	roles = append(roles, late)
	for _, role := range roles {
		g.Consistently(role, "500ms").ShouldNot(Receive(), "it ended")
	}

	_, err = raw.Delete(ctx, state.DefaultPrefix+"apps/x")
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(health(listen), "10s", "100ms").Should(HavePrefix("200"))
	g.Eventually(said(hook), "30s", "100ms").Should(ContainSubstring(`"type":"mooring.stuck.closed"`))
	cancel()
	for _, role := range roles {
		g.Eventually(role, "10s").Should(Receive(BeNil()))
	}
}

// smallDisk mounts a file system of so many bytes.
func smallDisk(t *testing.T, bytes int64) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("size=", bytes)); err != nil {
		t.Skip("a small disk is a tmpfs, which only root may mount: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A control plane that starts on a full disk says so, to who asks and to who is
// to be alerted, and goes on once there is space. It never says that the data
// is to be removed.
func TestControlPlane_SaysThatTheDiskIsFullAndGoesOnWithSpace(t *testing.T) {
	g := NewWithT(t)
	disk := smallDisk(t, 256<<20)
	ballast := filepath.Join(disk, "ballast")
	file, err := os.Create(ballast)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = io.Copy(file, io.LimitReader(zeroes{}, 1<<30))
	g.Expect(err).To(MatchError(syscall.ENOSPC))
	g.Expect(file.Close()).To(Succeed())

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hook, listen := notifytest.NewSink(t), freeAddress(t)
	ended := start(ctx, controlPlaneCommand(), "--embedded-etcd", filepath.Join(disk, "state"), "--listen", listen, "--name", "one", "--alerts-config", alertsTo(t, hook))
	g.Eventually(health(listen), "30s", "100ms").Should(And(HavePrefix("503"), ContainSubstring("the disk is full: free space")))
	g.Eventually(said(hook), "30s", "100ms").Should(And(ContainSubstring(`"subject":"state-unwritable@one"`), ContainSubstring("the disk is full: free space")))
	g.Expect(said(hook)()).NotTo(ContainSubstring("remove"))
	g.Expect(ended).NotTo(Receive())

	g.Expect(os.Remove(ballast)).To(Succeed())
	g.Eventually(health(listen), "30s", "100ms").Should(HavePrefix("200"))
	g.Eventually(said(hook), "30s", "100ms").Should(ContainSubstring(`"type":"mooring.stuck.closed"`))
	cancel()
	g.Eventually(ended, "20s").Should(Receive(BeNil()))
}

type zeroes struct{}

func (zeroes) Read(into []byte) (int, error) { clear(into); return len(into), nil }
