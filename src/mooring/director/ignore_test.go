package director_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director"
	"mooring/director/fakedirector"
	"mooring/model"
)

func TestAGroupsTaskPassesOverWhatItIsToldTo(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.hold = make(chan struct{})
	b.Ignore("b", true) // by somebody else
	watch := &watcher{passes: []string{"a", "b", "lost"}}
	task := make(chan int, 10)
	watch.heard = func(last map[string]model.HostTask) {
		if of, is := last[""]; is && of.Last == "" {
			task <- of.ID
		}
	}
	ended := make(chan error, 1)
	go func() {
		ended <- (&director.Hands{Client: b.Client}).Converge(t.Context(), "mooring", "cell", "restart", "p", watch)
	}()
	g.Eventually(task, "5s").Should(Receive(Equal(2)), "the first one looked up what is ignored")
	g.Eventually(func() int { watch.mu.Lock(); defer watch.mu.Unlock(); return watch.begun }, "5s").Should(BeNumerically(">", 0))
	_, ours := watch.Passes()
	g.Expect(ours).To(Equal([]string{"a", "lost"}), "what somebody else has ignored is his")
	g.Expect((&director.Hands{Client: b.Client}).Unignore(t.Context(), "mooring", "cell", ours, nil)).To(Succeed(), "under the task's lock, too")
	g.Expect(b.Ignored()).To(Equal([]string{"b"}))
	close(b.hold)
	g.Eventually(ended, "5s").Should(Receive(BeNil()))
	g.Expect(b.done()).To(ConsistOf(HavePrefix("c "), Equal("c restart")))
}

func TestNothingIsIgnoredInSomebodyElsesTask(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.hold = make(chan struct{})
	b.Deploy(fakedirector.Update{Action: "restart", User: "olga"})
	g.Eventually(func() ([]director.Lock, error) { return b.Locks(t.Context()) }).Should(HaveLen(1))
	watch := &watcher{passes: []string{"a"}}
	waits := make(chan string, 1000)
	watch.waits = func(why string) { waits <- why }
	ended := make(chan error, 1)
	go func() {
		ended <- (&director.Hands{Client: b.Client}).Converge(t.Context(), "mooring", "cell", "recreate", "p", watch)
	}()
	for range 3 {
		g.Eventually(waits, "5s").Should(Receive(ContainSubstring("olga")))
		g.Expect(b.Ignored()).To(BeEmpty())
	}
	close(b.hold)
	g.Eventually(ended, "5s").Should(Receive(BeNil()))
	g.Expect(b.done()).To(And(ContainElement("a restart"), Not(ContainElement("a recreate")), ContainElement("b recreate")))
}

// Who led before has had an instance ignored, and got no further.
func TestWhatWasIgnoredForAnEarlierTryIsNotTakenForSomebodyElses(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.Ignore("a", true)
	b.Ignore("c", true)
	watch := &watcher{passes: []string{"a"}, ignored: []string{"a", "c"}}
	g.Expect((&director.Hands{Client: b.Client}).Converge(t.Context(), "mooring", "cell", "restart", "p", watch)).To(Succeed())
	g.Expect(b.done()).To(And(ContainElement("c restart"), Not(ContainElement("a restart"))), "c is to be passed over no more")
	_, ours := watch.Passes()
	g.Expect(ours).To(ContainElement("a"))
	g.Expect((&director.Hands{Client: b.Client}).Unignore(t.Context(), "mooring", "cell", append(ours, "gone"), nil)).To(Succeed(), "what is not there is not ignored")
	g.Expect(b.Ignored()).To(BeEmpty())
}

func TestTheFakeRefusesToRemoveWhatIsIgnored(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.Ignore("a", true)
	g.Expect(b.Wait(t.Context(), b.Deploy(fakedirector.Update{Remove: []string{"a"}}))).To(MatchError(ContainSubstring("Instance Group 'cell' has 1 ignored instance(s). 2 instance(s) of that instance group were requested. Deleting ignored instances is not allowed.")))
	g.Expect(b.done()).To(BeEmpty())
}

func TestTheFakeStartsWhatWasStoppedOnARestart(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	g.Expect(b.Wait(t.Context(), b.ActOn("a", fakedirector.Stop, "", ""))).To(Succeed())
	var steps []string
	_, err := b.Follow(t.Context(), b.Deploy(fakedirector.Update{Action: fakedirector.Restart, Canaries: 1}), func(events []director.Event) {
		for _, event := range events {
			if event.State == "started" {
				steps = append(steps, event.Task)
			}
		}
	}, nil, nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(b.done()).To(And(ContainElements("a stop", "a start", "c restart"), Not(ContainElement("a restart"))))
	g.Expect(steps).To(Equal([]string{"cell/c (0) (canary)", "cell/a (1)", "cell/b (2)"}))
}
