package director_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director"
	"mooring/director/fakedirector"
)

// A VM that cannot be made fails while another one of the same task waits in
// its pre-stop: BOSH does not end the task before that has ended too.
func TestWhoFollowsAGroupHearsOfAFailureWhileOthersAreInFlight(t *testing.T) {
	g := NewWithT(t)
	var mended atomic.Bool
	hold := make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	b := newBosh(t, func(cfg *fakedirector.Config) { // c and a are of one AZ
		cfg.Instances[0].VM.PreStop = func(context.Context, []string) error { <-hold; return nil }
		cfg.Instances[1].VM.Act = func(string) error {
			if mended.Load() {
				return nil
			}
			return errors.New("no more hosts")
		}
	})
	t.Cleanup(release)
	hands := &director.Hands{Client: b.impatient(t)}
	failed, unheard, ended := make(chan string, 10), make(chan string, 10000), make(chan error, 1)
	go func() {
		ended <- hands.Converge(t.Context(), "mooring", "cell", "recreate", "p", &watcher{unheard: func(why string) { unheard <- why }, failed: func(id, why string) { failed <- id + ": " + why }})
	}()
	g.Eventually(failed, "5s").Should(Receive(Equal("a: BOSH task 1 failed on cell/a and goes on with those in flight: CPI error on cell/a (1): no more hosts")))
	b.looksOn(g)
	g.Expect(ended).NotTo(Receive(), "it follows on")

	b.Cut(true)
	g.Eventually(unheard, "5s").Should(Receive(HavePrefix("BOSH task 1 goes on, and cannot be followed: calling the Director")))
	b.Cut(false)
	g.Eventually(unheard, "5s").Should(Receive(BeEmpty()))

	g.Expect(ended).NotTo(Receive(), "it follows on")
	release()
	g.Eventually(ended, "5s").Should(Receive(MatchError(ContainSubstring("no more hosts"))))
	g.Expect(failed).To(BeEmpty(), "it is told once")
	mended.Store(true)
	g.Expect(hands.Act(t.Context(), "mooring", "cell", "a", "recreate", "r", false, nil)).To(Succeed(), "the deployment is free for it")
}

func TestAVMThatIsGoneHasNoPreStop(t *testing.T) {
	g := NewWithT(t)
	asked, broken := 0, true
	d := fakedirector.New(fakedirector.Config{Deployment: "mooring", Group: "cell", AZs: []string{"z1"}, Instances: []*fakedirector.Instance{{ID: "a", AZ: "z1", VM: fakedirector.VM{
		PreStop: func(context.Context, []string) error { asked++; return nil },
		Act: func(string) error {
			if broken {
				return errors.New("no more hosts")
			}
			return nil
		},
	}}}})
	defer d.Close()
	recreate := func() error { return d.Wait(t.Context(), d.ActOn("a", fakedirector.Recreate, "", "")) }
	g.Expect(recreate()).To(MatchError(ContainSubstring("no more hosts")))
	broken = false
	g.Expect(recreate()).To(Succeed())
	g.Expect(asked).To(Equal(1))
	g.Expect(recreate()).To(Succeed())
	g.Expect(asked).To(Equal(2), "there is one again")
}
