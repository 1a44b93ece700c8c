package director_test

import (
	"errors"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director"
	"mooring/director/fakedirector"
	"mooring/model"
)

// ears keeps the last that was heard of each instance.
func ears() (heard func(map[string]model.HostTask), last func(id string) string) {
	known := make(chan map[string]model.HostTask, 1)
	known <- map[string]model.HostTask{}
	heard = func(news map[string]model.HostTask) {
		all := <-known
		for id, task := range news {
			all[id] = task
		}
		known <- all
	}
	last = func(id string) string {
		all := <-known
		defer func() { known <- all }()
		task, found := all[id]
		if !found {
			return ""
		}
		return task.Said(task.At)
	}
	return heard, last
}

func TestWhatBOSHLastSaidOfEachInstanceOfAGroup(t *testing.T) {
	g := NewWithT(t)
	b := newBosh(t, func(cfg *fakedirector.Config) {
		cfg.Instances[1].VM.Act = func(string) error { return errors.New("no more hosts") }
	})
	b.hold = make(chan struct{})
	heard, last := ears()
	ended := make(chan error, 1)
	go func() {
		ended <- (&director.Hands{Client: b.Client}).Converge(t.Context(), "mooring", "cell", "recreate", "p", &watcher{heard: heard})
	}()
	g.Eventually(func() string { return last("c") }, "5s").Should(Equal("BOSH task 1, last: Updating instance: cell/c (0), executing pre-stop 0s ago"))
	g.Expect(last("")).To(Equal("BOSH task 1"), "of the task itself nothing but that it is there")
	g.Expect(last("b")).To(BeEmpty(), "it is in the second AZ")
	close(b.hold)
	g.Eventually(ended, "5s").Should(Receive(MatchError(ContainSubstring("no more hosts"))))
	g.Expect(last("c")).To(ContainSubstring("cell/c (0), finished"))
	g.Expect(last("a")).To(ContainSubstring("cell/a (1), failed: CPI error on cell/a (1): no more hosts"), "what it said at the very end is heard too")
	g.Expect(last("")).To(ContainSubstring("no more hosts (code 450001)"))
}

func TestWhatBOSHLastSaidOfAnInstanceOfSomebodysTask(t *testing.T) {
	g := NewWithT(t)
	b := newBosh(t, func(cfg *fakedirector.Config) {
		cfg.Instances[1].VM.Act = func(string) error { return errors.New("no more hosts") }
	})
	b.hold = make(chan struct{})
	heard, last := ears()
	ended := make(chan string, 1)
	go func() {
		why, _ := (&director.Hands{Client: b.Client}).WatchTask(t.Context(), "mooring", func(string) {}, heard)
		ended <- why
	}()
	b.ActOn("a", "recreate", "olga", "")
	g.Eventually(func() string { return last("a") }, "5s").Should(ContainSubstring("BOSH task 1, last: Updating instance cell/a (1): Stopping instance, started"))
	close(b.hold)
	g.Eventually(ended, "5s").Should(Receive(ContainSubstring("ended as error")))
	g.Expect(last("a")).To(ContainSubstring("Creating VM, failed: CPI error on cell/a (1): no more hosts"))
}
