package director_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director"
	"mooring/model"
)

// A Director that cannot do what it is asked is waited for, whatever it is that
// was about to begin.
func TestHandsWaitForADirectorThatIsAwayWhenTheyBegin(t *testing.T) {
	for what, start := range map[string]func(*director.Hands, func(string)) error{
		"a group": func(h *director.Hands, say func(string)) error {
			return h.Converge(t.Context(), "mooring", "cell", "restart", "p", &watcher{waits: say})
		},
		"an instance": func(h *director.Hands, say func(string)) error {
			return h.Act(t.Context(), "mooring", "cell", "a", "restart", "r", false, say)
		},
	} {
		for how, away := range map[string]func(*bosh, bool){
			"calling the Director":        func(b *bosh, away bool) { b.Cut(away) },
			"no connection to the server": func(b *bosh, away bool) { b.Break(away) },
		} {
			t.Run(what+", "+how, func(t *testing.T) {
				g, b := NewWithT(t), newBosh(t, nil)
				away(b, true)
				// A cell that stands quiet is not given up for it either.
				hands := &director.Hands{Client: b.impatient(t), LockPatience: 1}
				waits, ended := make(chan string, 10000), make(chan error, 1)
				go func() { ended <- start(hands, func(why string) { waits <- why }) }()
				for range 2 {
					g.Eventually(waits, "5s").Should(Receive(ContainSubstring(how)))
				}
				g.Expect(ended).NotTo(Receive())
				away(b, false)
				g.Eventually(ended, "5s").Should(Receive(BeNil()))
				g.Expect(b.Tasks()).To(Equal(1))
			})
		}
	}
}

// Whoever leads next follows the task that there is, also where it could not
// be asked for any more.
func TestATaskThatWasStartedIsFollowedWhateverHasBecomeOfItsGroup(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	hands := &director.Hands{Client: b.Client}
	g.Expect(hands.Converge(t.Context(), "mooring", "cell", "restart", "p", &watcher{})).To(Succeed())
	g.Expect(b.Wait(t.Context(), b.DeleteDeployment())).To(Succeed())
	g.Expect(hands.Converge(t.Context(), "mooring", "cell", "restart", "p", &watcher{})).To(Succeed(), "it had ended well")
	g.Expect(hands.Converge(t.Context(), "mooring", "cell", "restart", "q", &watcher{})).To(MatchError(ContainSubstring("Deployment 'mooring' doesn't exist")))
}

func TestATaskIsFollowedThroughWhateverElseTheDirectorAnswers(t *testing.T) {
	for says, trouble := range map[string]func(*bosh, bool){
		"no connection to the server": func(b *bosh, trouble bool) { b.Break(trouble) },
		"the login was refused":       func(b *bosh, trouble bool) { b.Forbid(trouble) },
	} {
		t.Run(says, func(t *testing.T) {
			g, b := NewWithT(t), newBosh(t, nil)
			b.hold = make(chan struct{})
			client := b.impatient(t)
			id, err := b.ActOnInstance(t.Context(), "mooring", "cell", "a", "restart", "r", false)
			g.Expect(err).NotTo(HaveOccurred())
			unheard, ended := make(chan string, 10000), make(chan error, 1)
			go func() {
				_, err := client.Follow(t.Context(), id, nil, nil, func(why string) { unheard <- why })
				ended <- err
			}()
			g.Eventually(unheard, "5s").Should(Receive(BeEmpty()))
			trouble(b, true)
			g.Eventually(unheard, "5s").Should(Receive(And(HavePrefix("BOSH task 1 goes on, and cannot be followed: "), ContainSubstring(says))))
			close(b.hold)
			g.Expect(b.Wait(t.Context(), id)).To(Succeed())
			g.Expect(ended).NotTo(Receive())
			trouble(b, false)
			g.Eventually(ended, "5s").Should(Receive(BeNil()))
		})
	}
	t.Run("that there is no such task", func(t *testing.T) {
		b := newBosh(t, nil)
		_, err := b.Follow(t.Context(), 7, nil, nil, nil)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("Task 7 not found")))
	})
}

// A task that ends badly while the Director is not itself is not missed.
func TestWhoWatchesATaskMissesNothingOfItsEnd(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.hold = make(chan struct{})
	client := b.impatient(t)
	id := b.ActOn("a", "restart", "olga", "")
	heard, ended := make(chan struct{}, 10000), make(chan string, 1)
	go func() {
		why, _ := (&director.Hands{Client: client}).WatchTask(t.Context(), "mooring", func(string) {}, func(map[string]model.HostTask) { heard <- struct{}{} })
		ended <- why
	}()
	g.Eventually(heard, "5s").Should(Receive())
	b.Forbid(true)
	b.Director.Cancel(id)
	close(b.hold)
	g.Expect(b.Wait(t.Context(), id)).NotTo(Succeed())
	g.Consistently(ended, "100ms").ShouldNot(Receive())
	b.Forbid(false)
	g.Eventually(ended, "5s").Should(Receive(Equal("BOSH task 1 (restart instance by olga) ended as cancelled")))
}

// The agent of a host that somebody has given up answers nobody.
func TestAHostWhoseAgentIsSilentIsRecreated(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	hands := &director.Hands{Client: b.Client}
	b.Silence("a")
	g.Expect(hands.Act(t.Context(), "mooring", "cell", "a", "recreate", "r1", false, nil)).To(MatchError(ContainSubstring("Timed out sending 'get_state' to instance: 'cell/a'")))
	g.Expect(hands.Act(t.Context(), "mooring", "cell", "a", "restart", "r2", true, nil)).To(MatchError(ContainSubstring("Timed out sending 'get_state' to instance: 'cell/a'")), "there is nobody to do it")
	g.Expect(hands.Act(t.Context(), "mooring", "cell", "a", "recreate", "r3", true, nil)).To(Succeed())
	g.Expect(b.done()).To(Equal([]string{"a recreate"}), "nobody was there to run its pre-stop")
}

// The worker of a task dies, and the Director gives the task up.
func TestATaskWhoseWorkerIsLostHasEnded(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.hold = make(chan struct{})
	id, err := b.ActOnInstance(t.Context(), "mooring", "cell", "a", "restart", "r", false)
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() ([]director.Lock, error) { return b.Locks(t.Context()) }, "5s").Should(HaveLen(1))
	b.LoseWorker(id)
	_, err = b.Follow(t.Context(), id, nil, nil, nil)
	g.Expect(err).To(MatchError("BOSH task 1 (restart instance) ended as timeout"))
	close(b.hold)
	g.Expect((&director.Hands{Client: b.Client}).Act(t.Context(), "mooring", "cell", "a", "recreate", "r2", false, nil)).To(Succeed(), "the deployment is free")
	state, _ := b.State(id)
	g.Expect(state).To(Equal("timeout"))
	g.Expect(b.done()).NotTo(ContainElement("a restart"))
}
