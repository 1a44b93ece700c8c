package statetest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

// memberEnv names the environment variable that turns the test binary into a
// member of etcd.
const memberEnv = "MOORING_STATETEST_MEMBER"

// Member is one etcd of a Cluster, a process of its own.
type Member struct {
	Name    string
	Client  string // URL for clients
	Peer    string // URL for the other members
	Dir     string
	Cluster string // all members, as etcd wants them
	Quota   int64  // of the database in bytes; 0 is etcd's default

	t       testing.TB
	process *exec.Cmd
}

// StartCluster starts etcd as n processes, with the timing of the release, and
// returns them once they have a leader. They end with the test. The package's
// TestMain has to call Main.
func StartCluster(t testing.TB, n int, quota int64) []*Member {
	t.Helper()
	var members []*Member
	cluster := ""
	for i := range n {
		m := &Member{Name: fmt.Sprint("member-", i), Client: freeURL(t), Peer: freeURL(t), Dir: filepath.Join(t.TempDir(), "etcd"), Quota: quota, t: t}
		members = append(members, m)
		cluster += m.Name + "=" + m.Peer + ","
	}
	for _, m := range members {
		m.Cluster = cluster[:len(cluster)-1]
		m.Start()
	}
	for _, m := range members {
		m.await()
	}
	return members
}

// Endpoints returns the members' URLs for clients.
func Endpoints(members []*Member) []string {
	var urls []string
	for _, m := range members {
		urls = append(urls, m.Client)
	}
	return urls
}

// Leader returns which of the members leads, and the others.
func Leader(t testing.TB, members []*Member) (leader *Member, followers []*Member) {
	t.Helper()
	for _, m := range members {
		status, err := m.status()
		if err != nil {
			t.Fatal(err)
		}
		if status.Leader == status.Header.MemberId {
			leader = m
		} else {
			followers = append(followers, m)
		}
	}
	if leader == nil {
		t.Fatal("no member of etcd leads")
	}
	return leader, followers
}

// Start runs the member, until the test ends.
func (m *Member) Start() {
	m.t.Helper()
	config, err := json.Marshal(m)
	if err != nil {
		m.t.Fatal(err)
	}
	m.process = exec.Command(os.Args[0])
	m.process.Env = append(os.Environ(), memberEnv+"="+string(config))
	m.process.Stderr = m.t.Output()
	// A test binary that is killed leaves nothing running.
	m.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.process.Start(); err != nil {
		m.t.Fatal(err)
	}
	process := m.process
	m.t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
}

// Freeze stops the process without ending it: it keeps its connections and
// does nothing.
func (m *Member) Freeze() { m.signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on, and returns once it serves.
func (m *Member) Thaw() {
	m.t.Helper()
	m.signal(syscall.SIGCONT)
	m.await()
}

func (m *Member) signal(signal os.Signal) {
	m.t.Helper()
	if err := m.process.Process.Signal(signal); err != nil {
		m.t.Fatal(err)
	}
}

// await returns once the member serves and knows a leader.
func (m *Member) await() {
	m.t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		status, err := m.status()
		if err == nil && status.Leader != 0 {
			return
		}
		if time.Now().After(end) {
			m.t.Fatalf("%s does not serve: %v", m.Name, err)
		}
		time.Sleep(50 * time.Millisecond) // nothing tells of a process that is not there yet
	}
}

func (m *Member) status() (*clientv3.StatusResponse, error) {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{m.Client}, Context: m.t.Context()})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(m.t.Context(), 5*time.Second)
	defer cancel()
	return client.Status(ctx, m.Client)
}

// freeURL returns the URL of a port of the loopback that nobody listens on.
func freeURL(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

// runMember is a member of etcd; it does not return.
func runMember(config string) {
	var m Member
	if err := json.Unmarshal([]byte(config), &m); err != nil {
		panic(err)
	}
	c := embed.NewConfig()
	c.Name, c.Dir, c.InitialCluster, c.QuotaBackendBytes = m.Name, m.Dir, m.Cluster, m.Quota
	c.LogLevel, c.MaxTxnOps, c.TickMs, c.ElectionMs = "error", 20000, 100, 1000
	client, err := url.Parse(m.Client)
	if err != nil {
		panic(err)
	}
	peer, err := url.Parse(m.Peer)
	if err != nil {
		panic(err)
	}
	c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	etcd, err := embed.StartEtcd(c)
	if err != nil {
		panic(err)
	}
	panic(<-etcd.Err())
}
