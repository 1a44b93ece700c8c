package director_test

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director"
	"mooring/director/fakedirector"
	"mooring/model"
)

func TestATaskWhoseAnswerWasLostIsNotStartedTwice(t *testing.T) {
	for what, start := range map[string]func(*bosh) (int, error){
		"a group": func(b *bosh) (int, error) {
			return b.ConvergeGroup(t.Context(), "mooring", "cell", "recreate", "100%", "p")
		},
		"an instance": func(b *bosh) (int, error) {
			return b.ActOnInstance(t.Context(), "mooring", "cell", "a", "recreate", "r", false)
		},
	} {
		t.Run(what, func(t *testing.T) {
			g, b := NewWithT(t), newBosh(t, nil)
			b.LoseAnswer()
			g.Expect(start(b)).To(Equal(1))
			g.Expect(b.Wait(t.Context(), 1)).To(Succeed())
			g.Expect(start(b)).To(Equal(1))
			g.Expect(b.Tasks()).To(Equal(1))
		})
	}
}

func TestATaskIsNotLeftBehindByACallerThatGoesAway(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	arrived, gone := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			close(arrived)
			<-gone // it was on its way when the caller went
		}
		b.Director.ServeHTTP(w, r)
	}))
	defer slow.Close()
	c, err := director.New(director.Config{URL: slow.URL, Client: "moor", Secret: "secret", Poll: 5 * time.Millisecond})
	g.Expect(err).NotTo(HaveOccurred())
	ended := make(chan error, 1)
	go func() {
		_, err := c.ConvergeGroup(ctx, "mooring", "cell", "restart", "1", "p")
		ended <- err
	}()
	<-arrived
	cancel()
	close(gone)
	g.Eventually(ended, "5s").Should(Receive(BeNil()), "it is seen through, so that whoever withdraws it finds it")
	g.Expect(b.Tasks()).To(Equal(1))
}

func TestATokenThatIsNotAcceptedIsRenewedOnce(t *testing.T) {
	g := NewWithT(t)
	b := newBosh(t, func(cfg *fakedirector.Config) { cfg.UAA = true })
	g.Expect(b.Locks(t.Context())).To(BeEmpty())
	b.ForgetTokens()
	g.Expect(b.ConvergeGroup(t.Context(), "mooring", "cell", "restart", "100%", "p")).To(Equal(1), "also where a task is started")
	g.Expect(b.Logins()).To(Equal(2))
	g.Expect(b.Tasks()).To(Equal(1))
}

func TestTheDirectorsOwnWordsAndCodeAreKept(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	_, err := b.ActOnInstance(t.Context(), "mooring", "cell", "nobody", "restart", "r", false)
	var refusal *director.Error
	g.Expect(errors.As(err, &refusal)).To(BeTrue())
	g.Expect(refusal).To(And(HaveField("Status", 404), HaveField("Code", director.CodeInstanceNotFound), HaveField("Method", "POST")))
	g.Expect(err).To(MatchError(ContainSubstring("'cell/nobody' doesn't exist (code 70001)")))
}

func TestAnIgnoredInstanceIsNotActedOn(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.Ignore("a", true)
	hands := &director.Hands{Client: b.Client}
	g.Expect(hands.Act(t.Context(), "mooring", "cell", "a", "recreate", "r", false, nil)).To(MatchError(ContainSubstring("ignored instance 'cell/a'.This operation is not allowed. You need to unignore it first.")))
	g.Expect(b.done()).To(BeEmpty())

	task, err := b.ConvergeGroup(t.Context(), "mooring", "cell", "restart", "100%", "p")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(b.Wait(t.Context(), task)).To(Succeed(), "its group passes over it")
	g.Expect(b.done()).To(And(ContainElements("b restart", "c restart"), Not(ContainElement("a restart"))))
	g.Expect(b.Wait(t.Context(), b.DeleteDeployment())).To(MatchError(ContainSubstring("contains ignored instance(s). Operation not allowed.")))

	b.Ignore("a", false)
	g.Expect(hands.Act(t.Context(), "mooring", "cell", "a", "recreate", "r2", false, nil)).To(Succeed(), "another attempt is another task")
}

func TestWithdrawingCancelsTheTaskAndWaitsForItsEnd(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.hold = make(chan struct{})
	hands := &director.Hands{Client: b.Client}
	silent := func(string) {}
	g.Expect(hands.Withdraw(t.Context(), "p", silent)).To(Succeed(), "nothing was started")
	_, err := b.ConvergeGroup(t.Context(), "mooring", "cell", "restart", "100%", "p")
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() ([]director.Lock, error) { return b.Locks(t.Context()) }).Should(HaveLen(1))

	b.Cut(true)
	waits, ended := make(chan string, 100), make(chan error, 1)
	impatient := &director.Hands{Client: b.impatient(t)}
	go func() { ended <- impatient.Withdraw(t.Context(), "p", func(text string) { waits <- text }) }()
	g.Eventually(waits, "5s").Should(Receive(ContainSubstring("calling the Director")), "it says what it waits for")
	b.Cut(false)
	g.Eventually(func() string { state, _ := b.State(1); return state }, "5s").Should(Equal(director.StateCancelling))
	b.looksOn(g)
	g.Expect(ended).NotTo(Receive(), "it looks again, and waits")
	close(b.hold)
	g.Eventually(ended, "5s").Should(Receive(BeNil()))
	g.Expect(b.done()).NotTo(ContainElement(HaveSuffix(" restart")))
	g.Expect(hands.Withdraw(t.Context(), "p", silent)).To(Succeed(), "it has ended")
}

func TestWhoWaitsInAScriptHearsOfTheCancelling(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.hold = make(chan struct{})
	heard, ended := make(chan string, 1000), make(chan string, 1)
	go func() {
		why, _ := (&director.Hands{Client: b.impatient(t)}).WatchTask(t.Context(), "mooring", func(why string) { heard <- why }, func(map[string]model.HostTask) {})
		ended <- why
	}()
	task := b.Deploy(fakedirector.Update{Action: fakedirector.Restart, User: "olga"})
	g.Eventually(func() ([]director.Lock, error) { return b.Locks(t.Context()) }).Should(HaveLen(1))
	b.Cut(true)
	b.Director.Cancel(task)
	b.looksOn(g)
	g.Expect(heard).NotTo(Receive(), "nobody has told it")
	b.Cut(false)
	for range 2 { // at every look, since more may come
		g.Eventually(heard, "5s").Should(Receive(Equal("BOSH task 1 (create deployment by olga) is being cancelled")))
	}
	b.looksOn(g)
	g.Expect(ended).NotTo(Receive(), "it has been told, and waits")
	close(b.hold)
	g.Eventually(ended, "5s").Should(Receive(Equal("BOSH task 1 (create deployment by olga) ended as cancelled")))
}

// impatient is a client that soon gives up on a Director that does not answer.
func (b *bosh) impatient(t *testing.T) *director.Client {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.server.Certificate().Raw})
	c, err := director.New(director.Config{URL: b.server.URL, CA: ca, Client: "moor", Secret: "secret", Poll: 5 * time.Millisecond, Retry: 500 * time.Millisecond})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return c
}
