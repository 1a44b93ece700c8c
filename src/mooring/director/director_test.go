package director_test

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director"
	"mooring/director/fakedirector"
	"mooring/model"
)

// bosh is a fake Director of three cells with a client.
type bosh struct {
	*fakedirector.Director
	*director.Client
	server *httptest.Server
	calls  atomic.Int64 // that came in, answered or not
	mu     sync.Mutex
	did    []string
	// hold, when not nil, is waited for in every pre-stop.
	hold chan struct{}
}

func (b *bosh) log(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.did = append(b.did, what)
}

func (b *bosh) done() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.did...)
}

// looksOn waits until whoever follows what BOSH does has asked twice more: what
// it made of the first of these answers it has done by then.
func (b *bosh) looksOn(g *WithT) {
	before := b.calls.Load()
	g.Eventually(b.calls.Load, "5s", "1ms").Should(BeNumerically(">=", before+3))
}

func newBosh(t *testing.T, change func(*fakedirector.Config)) *bosh {
	b := &bosh{}
	cfg := fakedirector.Config{Deployment: "mooring", Group: "cell", AZs: []string{"z1", "z2"}, User: "moor", Password: "secret", LockTimeout: 100 * time.Millisecond}
	for n, id := range []string{"c", "a", "b"} {
		az := []string{"z1", "z1", "z2"}[n]
		cfg.Instances = append(cfg.Instances, &fakedirector.Instance{ID: id, AZ: az, Index: n, Bootstrap: n == 0, VM: fakedirector.VM{
			PreStop: func(ctx context.Context, env []string) error {
				if b.hold != nil {
					select {
					case <-b.hold:
					case <-ctx.Done():
					}
				}
				b.log(id + " " + env[0])
				return ctx.Err()
			},
			Act: func(action string) error { b.log(id + " " + action); return nil },
		}})
	}
	if change != nil {
		change(&cfg)
	}
	b.Director = fakedirector.New(cfg)
	b.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.calls.Add(1)
		b.Director.ServeHTTP(w, r)
	}))
	b.At(b.server.URL)
	t.Cleanup(func() { b.Close(); b.server.Close() })
	b.Client = b.clientAs(t, "moor", "secret")
	return b
}

func (b *bosh) clientAs(t *testing.T, name, secret string) *director.Client {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.server.Certificate().Raw})
	c, err := director.New(director.Config{URL: b.server.URL, CA: ca, Client: name, Secret: secret, Poll: 5 * time.Millisecond, Retry: 5 * time.Second})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return c
}

// watcher passes on what is told of the task of a group; nil passes nothing.
type watcher struct {
	waits, cancelling, unheard func(string)
	heard                      func(map[string]model.HostTask)
	failed                     func(id, why string)

	mu              sync.Mutex
	passes, ignored []string
	begun           int
}

func (w *watcher) Passes() (which, ignored []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.passes, slices.Clone(w.ignored)
}

func (w *watcher) Ignores(ids []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ignored = ids
	return nil
}

func (w *watcher) Begun() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun++
}

func pass(to func(string), text string) {
	if to != nil {
		to(text)
	}
}

func (w *watcher) Waits(why string)      { pass(w.waits, why) }
func (w *watcher) Cancelling(why string) { pass(w.cancelling, why) }
func (w *watcher) Unheard(why string)    { pass(w.unheard, why) }

func (w *watcher) Heard(last map[string]model.HostTask) {
	if w.heard != nil {
		w.heard(last)
	}
}

func (w *watcher) Failed(id, why string) {
	if w.failed != nil {
		w.failed(id, why)
	}
}

func TestConfigurationsThatCannotBe(t *testing.T) {
	for text, cfg := range map[string]director.Config{
		"is not one such as":   {URL: "10.0.0.6:25555", Client: "a"},
		"who calls":            {URL: "https://10.0.0.6:25555"},
		"holds no certificate": {URL: "https://10.0.0.6:25555", Client: "a", CA: []byte("x")},
	} {
		_, err := director.New(cfg)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(text)))
	}
}

func TestReadingADirector(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	g.Expect(b.Group(t.Context(), "mooring", "cell")).To(HaveExactElements(HaveField("ID", "c"), HaveField("ID", "a"), HaveField("AZ", "z2")))
	_, err := b.Group(t.Context(), "mooring", "router")
	g.Expect(err).To(MatchError("deployment mooring has no instance group router; see: bosh -d mooring instances"))
	_, err = b.Instances(t.Context(), "other")
	g.Expect(director.NotFound(err)).To(BeTrue())
	var refusal *director.Error
	g.Expect(errors.As(err, &refusal)).To(BeTrue())
	g.Expect(refusal.Code).To(Equal(director.CodeDeploymentNotFound))
	g.Expect(err).To(MatchError(ContainSubstring("Deployment 'other' doesn't exist (code 70000)")))
}

func TestLogins(t *testing.T) {
	t.Run("by the Director's own users", func(t *testing.T) {
		g, b := NewWithT(t), newBosh(t, nil)
		_, err := b.clientAs(t, "moor", "wrong").Locks(t.Context())
		g.Expect(err).To(MatchError(ContainSubstring("the login was refused; check the client and its secret")))
	})
	t.Run("by a UAA, renewed before and after it has run out", func(t *testing.T) {
		g := NewWithT(t)
		b := newBosh(t, func(cfg *fakedirector.Config) { cfg.UAA, cfg.TokenLife = true, 2*time.Second })
		for range 3 {
			g.Expect(b.Locks(t.Context())).To(BeEmpty())
		}
		g.Expect(b.Logins()).To(Equal(1), "a token is used as long as it lasts")
		g.Eventually(func(g Gomega) {
			g.Expect(b.Locks(t.Context())).To(BeEmpty())
			g.Expect(b.Logins()).To(BeNumerically(">", 1))
		}, "4s").Should(Succeed())
		_, err := b.clientAs(t, "moor", "wrong").Locks(t.Context())
		g.Expect(err).To(MatchError(And(ContainSubstring("the login was refused"), ContainSubstring("Bad credentials"))))
	})
	t.Run("with a certificate nobody knows", func(t *testing.T) {
		g, b := NewWithT(t), newBosh(t, nil)
		c, err := director.New(director.Config{URL: b.server.URL, Client: "moor"})
		g.Expect(err).NotTo(HaveOccurred())
		_, err = c.Info(t.Context())
		g.Expect(err).To(MatchError(ContainSubstring("give the CA of the Director")))
	})
}

func TestVersions(t *testing.T) {
	for version, safe := range map[string]bool{"280.1.14 (0)": false, "280.1.15 (0)": true, "280.1.16": true, "280.2.0": true, "281.0.0": true, "279.9.99": false, "1.0.0-dev": false, "": false} {
		err := (&director.Info{Version: version}).CheckSafeRestarts()
		NewWithT(t).Expect(err == nil).To(Equal(safe), version)
		if !safe {
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring("upgrade it to 280.1.15, or roll the whole instance group")))
		}
	}
}

func TestAGroupIsConvergedAZByAZAndOnce(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	id, err := b.ConvergeGroup(t.Context(), "mooring", "cell", "recreate", "1", "plan-1")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(b.ConvergeGroup(t.Context(), "mooring", "cell", "recreate", "1", "plan-1")).To(Equal(id), "asked again, it is the same task")
	var steps []string
	task, err := b.Follow(t.Context(), id, func(events []director.Event) {
		for _, e := range events {
			if e.State == "started" {
				steps = append(steps, e.Task)
			}
		}
	}, nil, nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(task.State).To(Equal(director.StateDone))
	g.Expect(steps).To(Equal([]string{"cell/c (0)", "cell/a (1)", "cell/b (2)"}), "the bootstrap instance first, then by UUID, AZ by AZ")
	g.Expect(b.ConvergeGroup(t.Context(), "mooring", "cell", "recreate", "1", "plan-1")).To(Equal(id), "after it has ended, too")
	g.Expect(b.Tasks()).To(Equal(1))
}

func TestEventsGoOnWhereTheyWere(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	id, err := b.ActOnInstance(t.Context(), "mooring", "cell", "a", "restart", "r1", false)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = b.Follow(t.Context(), id, nil, nil, nil)
	g.Expect(err).NotTo(HaveOccurred())
	events, next, err := b.Events(t.Context(), id, 0)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(events).To(HaveExactElements(
		HaveField("String()", "Updating instance cell/a (1): Stopping instance, started"), HaveField("State", "finished"),
		HaveField("String()", "Updating instance cell/a (1): Starting instance, started"), HaveField("State", "finished")))
	events, after, err := b.Events(t.Context(), id, next)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(events).To(BeEmpty(), "416: nothing new")
	g.Expect(after).To(Equal(next))
}

func TestNoTaskIsStackedBehindALock(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.hold = make(chan struct{})
	somebody := b.Deploy(fakedirector.Update{Action: "restart", User: "olga"})
	g.Eventually(func() ([]director.Lock, error) { return b.Locks(t.Context()) }).Should(HaveLen(1))

	_, err := b.ActOnInstance(t.Context(), "mooring", "cell", "a", "restart", "r1", false)
	var locked *director.LockedError
	g.Expect(errors.As(err, &locked)).To(BeTrue())
	g.Expect(locked.Holder.ID).To(Equal(somebody))
	g.Expect(err).To(MatchError("deployment mooring is held by task 1 (create deployment by olga); wait for it, or see: bosh task 1"))
	g.Expect(b.Tasks()).To(Equal(1))

	close(b.hold)
	g.Eventually(func() error {
		_, err := b.ActOnInstance(t.Context(), "mooring", "cell", "a", "restart", "r1", false)
		return err
	}).Should(Succeed())
}

func TestTheSecondTaskOnADeploymentGivesUpAfterAWhile(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.hold = make(chan struct{})
	defer close(b.hold)
	first := b.Deploy(fakedirector.Update{Action: "restart"})
	g.Eventually(func() ([]director.Lock, error) { return b.Locks(t.Context()) }).Should(HaveLen(1))
	_, err := b.Follow(t.Context(), b.ActOn("a", "restart", "", ""), nil, nil, nil)
	g.Expect(err).To(MatchError(And(ContainSubstring("Failed to acquire lock for lock:deployment:mooring"), ContainSubstring("Locking task id is %d", first))))
}

func TestATaskThatFailsSaysWhereAndWhy(t *testing.T) {
	g := NewWithT(t)
	b := newBosh(t, func(cfg *fakedirector.Config) {
		cfg.Instances[1].VM.Act = func(string) error { return errors.New("no more hosts") }
	})
	id, err := b.ConvergeGroup(t.Context(), "mooring", "cell", "recreate", "100%", "p")
	g.Expect(err).NotTo(HaveOccurred())
	_, err = b.Follow(t.Context(), id, nil, nil, nil)
	var failed *director.TaskError
	g.Expect(errors.As(err, &failed)).To(BeTrue())
	g.Expect(failed.Last.Error.Code).To(Equal(450001))
	g.Expect(err).To(MatchError("BOSH task 1 (create deployment) ended as error: CPI error on cell/a (1): no more hosts (code 450001)"))
	g.Expect(b.done()).To(ContainElement("c recreate"), "what was in flight finishes")
	g.Expect(b.done()).NotTo(ContainElement(HavePrefix("b ")), "the rest never starts")
}

func TestCancellingWaitsForPreStop(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.hold = make(chan struct{})
	id, err := b.ActOnInstance(t.Context(), "mooring", "cell", "a", "restart", "r1", false)
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() (*director.Task, error) { return b.Task(t.Context(), id) }).Should(HaveField("State", director.StateProcessing))
	g.Expect(b.Client.Cancel(t.Context(), id)).To(Succeed())
	heard := 0
	task, err := b.Follow(t.Context(), id, nil, func(task director.Task) {
		g.Expect(task.State).To(Equal(director.StateCancelling))
		if heard++; heard == 3 { // at every look, since more may come to where they wait
			close(b.hold)
		}
	}, nil)
	g.Expect(err).To(MatchError(ContainSubstring("ended as cancelled")))
	g.Expect(task.State).To(Equal(director.StateCancelled))
	g.Expect(heard).To(BeNumerically(">=", 3))
	g.Expect(b.done()).NotTo(ContainElement("a restart"))
}

func TestFollowingOutlastsADirectorThatGoesAndComesBack(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.hold = make(chan struct{})
	id, err := b.ActOnInstance(t.Context(), "mooring", "cell", "a", "restart", "r1", false)
	g.Expect(err).NotTo(HaveOccurred())
	followed := make(chan error, 1)
	go func() { _, err := b.Follow(t.Context(), id, nil, nil, nil); followed <- err }()
	b.Cut(true)
	close(b.hold)
	g.Expect(b.Wait(t.Context(), id)).To(Succeed())
	b.looksOn(g)
	g.Expect(followed).NotTo(Receive(), "it asks again, and nobody answers")
	b.Cut(false)
	g.Eventually(followed, "10s").Should(Receive(BeNil()))
}

func TestHandsTakeOneInstanceOfADeploymentAtATime(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.hold = make(chan struct{})
	hands := &director.Hands{Client: b.Client}
	var acting sync.WaitGroup
	for _, id := range []string{"a", "b", "c"} {
		acting.Go(func() {
			if err := hands.Act(t.Context(), "mooring", "cell", id, "recreate", "roll-"+id, false, nil); err != nil {
				t.Error(err)
			}
		})
	}
	g.Eventually(b.Tasks).Should(Equal(1))
	g.Consistently(b.Tasks, "50ms").Should(Equal(1))
	close(b.hold)
	acting.Wait()
	g.Expect(b.done()).To(ContainElements("a recreate", "b recreate", "c recreate"))
	g.Expect(hands.Act(t.Context(), "mooring", "cell", "a", "recreate", "roll-a", false, nil)).To(Succeed())
	g.Expect(b.Tasks()).To(Equal(3), "what was done is not done again")
}

func TestHandsWaitForAHolderAndNameIt(t *testing.T) {
	g, b := NewWithT(t), newBosh(t, nil)
	b.hold = make(chan struct{})
	b.Deploy(fakedirector.Update{Action: "restart", User: "olga"})
	g.Eventually(func() ([]director.Lock, error) { return b.Locks(t.Context()) }).Should(HaveLen(1))

	impatient := &director.Hands{Client: b.Client, LockPatience: time.Millisecond}
	g.Expect(impatient.Act(t.Context(), "mooring", "cell", "a", "restart", "r", false, nil)).To(MatchError(ContainSubstring("held by task 1 (create deployment by olga)")))

	waits, ended := make(chan string, 100), make(chan error, 1)
	go func() {
		ended <- (&director.Hands{Client: b.Client}).Converge(t.Context(), "mooring", "cell", "restart", "p", &watcher{waits: func(text string) { waits <- text }})
	}()
	g.Eventually(waits).Should(Receive(ContainSubstring("olga")))
	close(b.hold)
	g.Eventually(ended, "5s").Should(Receive(BeNil()))
	g.Eventually(waits).Should(Receive(BeEmpty()), "it waits no longer")
}

func TestHandsRefuseWhatCannotBe(t *testing.T) {
	g := NewWithT(t)
	b := newBosh(t, func(cfg *fakedirector.Config) { cfg.Version = "280.1.14" })
	hands := &director.Hands{Client: b.Client}
	g.Expect(hands.Act(t.Context(), "mooring", "cell", "a", "restart", "r", false, nil)).To(MatchError(ContainSubstring("can silently drop jobs")))
	g.Expect(hands.Check(t.Context(), "mooring", "cell", false)).To(Succeed())
	g.Expect(hands.Check(t.Context(), "mooring", "router", false)).To(MatchError(ContainSubstring("no instance group router")))
	g.Expect(b.Tasks()).To(BeZero())
}
