package state

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// childDir names the environment variable that turns the test binary into a
// control plane that commits until it is killed.
const childDir = "MOORING_STATE_TEST_DIR"

// child runs etcd on dir and commits pairs of records for ever, numbered on
// from what it finds. It prints each number when its commit is acknowledged.
func child(dir string) {
	ctx := context.Background()
	fail := func(err error) {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	etcd, err := StartEmbedded(ctx, EmbeddedConfig{Dir: dir, ListenClient: "127.0.0.1:0"})
	if err != nil {
		fail(err)
	}
	s, err := Open(ctx, Config{Endpoints: etcd.Endpoints()})
	if err != nil {
		fail(err)
	}
	presence := &model.Presence{CellID: "c", Start: "s"}
	for n := len(s.Snapshot().Apps()); ; n++ {
		tx := s.Snapshot().Txn()
		tx.Put(app(fmt.Sprint(n), n))
		tx.Put(&model.Ledger{AppGUID: fmt.Sprint(n)})
		tx.Event(said(fmt.Sprint(n)))
		if _, err := s.Commit(ctx, tx); err != nil {
			fail(err)
		}
		if err := s.Keep(ctx, presence, time.Minute); err != nil {
			fail(err)
		}
		fmt.Println(n)
	}
}

func TestWhatWasAcknowledgedSurvivesKill9(t *testing.T) {
	g := NewWithT(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := filepath.Join(t.TempDir(), "state")
	acknowledged := -1
	for round := range 4 {
		last := commitUntilKilled(t, dir, time.Duration(random.Int64N(int64(300*time.Millisecond))))
		g.Expect(last).To(BeNumerically(">", acknowledged), "round %d committed nothing", round)
		acknowledged = last
	}

	etcd, err := StartEmbedded(t.Context(), EmbeddedConfig{Dir: dir, ListenClient: "127.0.0.1:0", Logger: logger(t)})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(etcd.Close)
	s := openAt(t, DefaultPrefix, etcd.Endpoints()...)
	snap := s.Snapshot()
	for n := range acknowledged + 1 {
		g.Expect(snap.App(fmt.Sprint(n))).To(Equal(app(fmt.Sprint(n), n)))
	}
	g.Expect(len(snap.Apps())).To(BeNumerically("<=", acknowledged+2), "at most one was under way")
	g.Expect(snap.Ledgers()).To(HaveLen(len(snap.Apps())), "a transaction is whole or absent")
	events := snap.Events("", 0)
	g.Expect(events).To(HaveLen(len(snap.Apps())))
	for n, event := range events {
		g.Expect(event.Text).To(Equal(fmt.Sprint(n)), "events keep their order over restarts")
	}
	made := snap.find("presence/c")
	g.Expect(s.Keep(t.Context(), &model.Presence{CellID: "c", Start: "s"}, time.Minute)).To(Succeed())
	g.Expect(s.Snapshot().find("presence/c").mod).To(Equal(made.mod), "the agent renews the lease it had")
}

// commitUntilKilled runs a child and kills it a while after its first commit.
// It gives the last number that the child printed.
func commitUntilKilled(t *testing.T, dir string, after time.Duration) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	last := -1
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "failed:") {
			t.Fatal("the child ", lines.Text())
		}
		if last < 0 {
			time.AfterFunc(after, func() { cmd.Process.Kill() })
		}
		if _, err := fmt.Sscan(lines.Text(), &last); err != nil {
			t.Fatalf("the child printed %q", lines.Text())
		}
	}
	return last
}
