package alerting

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/notify"
	"mooring/notify/notifytest"
	"mooring/state"
)

// faults are problems that come and go.
type faults struct {
	mu  sync.Mutex
	now []state.Problem
}

func (f *faults) set(problems ...state.Problem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = problems
}

func (f *faults) get() []state.Problem {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// direct tells of faults as a configuration says, until the test ends.
func direct(t *testing.T, config string) *faults {
	t.Helper()
	file := filepath.Join(t.TempDir(), "alerts.yml")
	NewWithT(t).Expect(os.WriteFile(file, []byte(config), 0o600)).To(Succeed())
	cfg, err := notify.Load(file, nil)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	f := &faults{}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() { RunDirect(ctx, Config{Config: cfg}, f.get); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return f
}

func TestDirect_TellsEachReceiverOfWhatConcernsItWithoutTheState(t *testing.T) {
	g := NewWithT(t)
	ops, acme := notifytest.NewSink(t), notifytest.NewSink(t)
	ops.Answer(http.StatusServiceUnavailable)
	f := direct(t, fmt.Sprintf(`
receivers:
- {name: ops, webhook: {url: %q}}
- {name: acme, webhook: {url: %q}}
routes:
- {receivers: [ops]}
- {match: {kind: [state-filling]}, receivers: [acme]}
`, ops.URL, acme.URL))
	full := state.Problem{ID: "state-unwritable@one", Kind: model.StateUnwritable, What: "the disk is full: free space", Advice: "free space", Since: time.Now()}
	f.set(full, state.Problem{ID: "state-filling/quota@one", Kind: model.StateFilling, What: "it is used up to 80 %", Since: time.Now()})
	g.Eventually(ops.Attempts, "20s").Should(BeNumerically(">", 1))
	ops.Answer(http.StatusOK)
	g.Eventually(told(ops), "20s").Should(ConsistOf("opened state-unwritable@one", "opened state-filling/quota@one"))
	g.Eventually(told(acme), "20s").Should(ConsistOf("opened state-filling/quota@one"))
	g.Expect(string(ops.Taken()[0]) + string(ops.Taken()[1])).To(ContainSubstring(`"severity":"critical"`))
	f.set(full)
	g.Eventually(told(acme), "20s").Should(Equal([]string{"opened state-filling/quota@one", "closed state-filling/quota@one"}))
	f.set()
	g.Eventually(told(ops), "20s").Should(ContainElement("closed state-unwritable@one"))
	g.Expect(told(ops)()).To(HaveLen(4), "each is told once")
}
