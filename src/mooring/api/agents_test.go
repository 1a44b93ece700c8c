package api

import (
	"context"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
	"mooring/state/statetest"
)

// another is the registration of a newer agent of the same cell.
func another(r model.Registration, boot, start string) model.Registration {
	r.Boot, r.Start = boot, start
	return r
}

func reportOf(r model.Registration) model.Report {
	return model.Report{Boot: r.Boot, Start: r.Start, Registration: r.Registration}
}

func TestACellIsPresentWhileItsAgentReports(t *testing.T) {
	g, f := NewWithT(t), newFixtureOfLease(t, 5*time.Second) // ten reports long: a slow machine may miss some
	cell := aCell("c1", "z1")
	lease, err := f.Register(t.Context(), cell)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(lease.TTL.D()).To(Equal(5 * time.Second))
	g.Expect(f.Cell(t.Context(), "c1")).To(And(HaveField("Present", true), HaveField("Domain", 0), HaveField("AZ", "z1")))

	for longerThanALease := time.Now().Add(5500 * time.Millisecond); time.Now().Before(longerThanALease); {
		_, err = f.Report(t.Context(), "c1", reportOf(cell))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(f.Cell(t.Context(), "c1")).To(HaveField("Present", true))
		time.Sleep(500 * time.Millisecond)
	}
	g.Eventually(func() (*client.CellView, error) { return f.Cell(t.Context(), "c1") }, 20*time.Second).Should(HaveField("Present", false))
	_, err = f.Report(t.Context(), "c1", reportOf(cell))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cell(t.Context(), "c1")).To(HaveField("Present", true))
}

func TestOnlyTheNewestAgentIsTheCell(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	old := aCell("c1", "z1")
	_, err := f.Report(t.Context(), "c1", reportOf(old))
	g.Expect(err).To(refusal(http.StatusNotFound, "must register first"))

	_, err = f.Register(t.Context(), old)
	g.Expect(err).NotTo(HaveOccurred())
	report := reportOf(old)
	report.Instances = []model.ActualInstance{{AppGUID: "app", Index: 0, State: model.Serving}}
	report.Volumes = []model.ActualVolume{{GUID: "v", State: model.VolumeAttached}}
	_, err = f.Report(t.Context(), "c1", report)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.store.Snapshot().ActualInstancesOn("c1")).To(HaveLen(1))

	restarted := another(old, old.Boot, "start-2")
	_, err = f.Register(t.Context(), restarted)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.store.Snapshot().ActualInstancesOn("c1")).To(BeEmpty(), "what the old agent said is forgotten")
	g.Expect(f.store.Snapshot().ActualVolumesOn("c1")).To(BeEmpty())
	g.Expect(f.store.Snapshot().Presence("c1").Start).To(Equal("start-2"))

	_, err = f.Report(t.Context(), "c1", report)
	g.Expect(client.Superseded(err)).To(BeTrue(), "%v", err)
	g.Expect(f.store.Snapshot().ActualInstancesOn("c1")).To(BeEmpty())
	_, err = f.Report(t.Context(), "c1", reportOf(restarted))
	g.Expect(err).NotTo(HaveOccurred())
}

func TestACellKeepsItsDomain(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	cell := aCell("c1", "z1")
	_, err := f.Register(t.Context(), cell)
	g.Expect(err).NotTo(HaveOccurred())
	assigned := *f.store.Snapshot().Cell("c1")
	assigned.Domain = 3
	f.put(t, &assigned)
	_, err = f.Register(t.Context(), another(cell, "boot-2", "start-2"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cell(t.Context(), "c1")).To(And(HaveField("Domain", 3), HaveField("Boot", "boot-2")))
	given := another(cell, "boot-2", "start-3")
	given.DomainGiven, given.Domain = true, 1
	_, err = f.Register(t.Context(), given)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cell(t.Context(), "c1")).To(HaveField("Domain", 1))
}

func TestALostCellStaysOutUntilItHasBooted(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	cell := aCell("c1", "z1")
	_, err := f.Register(t.Context(), cell)
	g.Expect(err).NotTo(HaveOccurred())
	lost := *f.store.Snapshot().Cell("c1")
	lost.Lost = true
	f.put(t, &lost)
	_, err = f.Report(t.Context(), "c1", reportOf(cell))
	g.Expect(err).To(refusal(http.StatusConflict, "declared lost"))
	_, err = f.Register(t.Context(), another(cell, cell.Boot, "start-2"))
	g.Expect(err).To(refusal(http.StatusConflict, "declared lost"))
	_, err = f.Register(t.Context(), another(cell, "boot-2", "start-3"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cell(t.Context(), "c1")).To(And(HaveField("Lost", false), HaveField("Present", true)))
}

func TestARegistrationIsChecked(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	for text, spoil := range map[string]func(*model.Registration){
		"is not a name":     func(r *model.Registration) { r.AZ = "Zone 1" },
		"no range":          func(r *model.Registration) { r.PortMin = 30000 },
		"boot":              func(r *model.Registration) { r.Boot = "" },
		"there twice":       func(r *model.Registration) { r.Classes = append(r.Classes, r.Classes[0]) },
		"last registration": func(r *model.Registration) { r.Registration = 1 << 60 },
		"count from 1":      func(r *model.Registration) { r.DomainGiven, r.Domain = true, 0 },
		"must not contain":  func(r *model.Registration) { r.Start = "a/b" },
	} {
		cell := aCell("c1", "z1")
		spoil(&cell)
		_, err := f.Register(t.Context(), cell)
		g.Expect(err).To(refusal(http.StatusUnprocessableEntity, text))
	}
	g.Expect(f.Cells(t.Context())).To(BeEmpty())
}

// placed puts an app of one instance on a cell.
func (f *fixture) placed(t *testing.T, cellID string) *model.Instance {
	t.Helper()
	pushed, err := f.Push(t.Context(), plain("web", 1))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	inst := &model.Instance{AppGUID: pushed.App.GUID, Index: 0, Placement: model.Placement{GUID: "i", CellID: cellID, Ports: []int{10000}}, Spec: pushed.App.Spec, SpecVersion: 1}
	f.put(t, inst)
	return inst
}

func TestWorkIsAnsweredWhenItChanges(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2)
	inst := f.placed(t, "c1")

	first, err := f.Work(t.Context(), "c1", 0, time.Minute)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(first.Instances).To(HaveLen(1))

	g.Expect(f.Work(t.Context(), "c1", first.Revision, 50*time.Millisecond)).To(BeNil(), "nothing has changed")

	answers := make(chan *model.Work, 1)
	go func() {
		work, err := f.Work(t.Context(), "c1", first.Revision, time.Minute)
		if err != nil {
			t.Error(err)
		}
		answers <- work
	}()
	elsewhere := *inst
	elsewhere.Index, elsewhere.CellID = 1, "c2"
	f.put(t, &elsewhere)
	g.Consistently(answers, 100*time.Millisecond).ShouldNot(Receive(), "another cell's work is no reason")

	removing := *inst
	removing.Removing = true
	f.put(t, &removing)
	var second *model.Work
	g.Eventually(answers).Should(Receive(&second))
	g.Expect(second.Revision).To(BeNumerically(">", first.Revision))
	g.Expect(second.Instances).To(ConsistOf(HaveField("Run", false)))

	// Work that changed and changed back between two polls of a node that saw
	// neither is the same work; a node that never gave it answers at once.
	other := f.serve(t, statetest.Open(t, f.prefix))
	node, err := client.New(client.Config{Endpoints: []string{other}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(node.Work(t.Context(), "c1", second.Revision, time.Minute)).NotTo(BeNil())
}

func TestWork_OfACellThatIsNotThere(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	_, err := f.Work(t.Context(), "c9", 0, time.Minute)
	g.Expect(err).To(refusal(http.StatusNotFound, "no cell c9"))
}

func TestWork_IsAllGivenToACellThatIsAheadOfTheState(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	f.placed(t, "c1")
	now := f.store.Snapshot().Revision()
	began := time.Now()
	work, err := f.Work(t.Context(), "c1", now+1000000, time.Minute)
	g.Expect(err).NotTo(HaveOccurred(), "a backup was restored: there is nothing newer to wait for")
	g.Expect(work.Revision).To(BeNumerically(">=", now))
	g.Expect(work.Instances).To(HaveLen(1))
	g.Expect(time.Since(began)).To(BeNumerically("<", behindAtMost))
}

// restored is the state as a backup has it from before an agent registered.
func (f *fixture) restored(t *testing.T, before model.Cell) { f.put(t, &before) }

func TestAgent_NewerThanTheStateIsToldToRegisterAgain(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	first := aCell("c1", "z1")
	_, err := f.Register(t.Context(), first)
	g.Expect(err).NotTo(HaveOccurred())
	backup := *f.store.Snapshot().Cell("c1")
	restarted := another(first, first.Boot, "start-2")
	lease, err := f.Register(t.Context(), restarted)
	g.Expect(err).NotTo(HaveOccurred())
	restarted.Registration = lease.Registration

	f.restored(t, backup)
	_, err = f.Report(t.Context(), "c1", reportOf(restarted))
	g.Expect(err).To(refusal(http.StatusNotFound, "must register again"), "nobody is known to have replaced it")
	again, err := f.Register(t.Context(), restarted)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.Registration).To(BeNumerically(">", lease.Registration), "the numbers go on from where the agent was")
	restarted.Registration = again.Registration
	_, err = f.Report(t.Context(), "c1", reportOf(restarted))
	g.Expect(err).NotTo(HaveOccurred())

	_, err = f.Report(t.Context(), "c1", reportOf(first))
	g.Expect(client.Superseded(err)).To(BeTrue(), "the one that it replaced before the backup was restored stays replaced: %v", err)
}

func TestAgent_ReplacedInAStateThatWasRestoredStaysReplaced(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	first := aCell("c1", "z1")
	_, err := f.Register(t.Context(), first)
	g.Expect(err).NotTo(HaveOccurred())
	backup := *f.store.Snapshot().Cell("c1")
	oldHost, newHost := another(first, "boot-2", "start-2"), another(first, "boot-3", "start-3")
	for _, agent := range []*model.Registration{&oldHost, &newHost} {
		lease, err := f.Register(t.Context(), *agent)
		g.Expect(err).NotTo(HaveOccurred())
		agent.Registration = lease.Registration
	}

	f.restored(t, backup)
	// Both live for a while, and the older one is heard first.
	for range 2 {
		for _, agent := range []*model.Registration{&oldHost, &newHost} {
			if _, err := f.Report(t.Context(), "c1", reportOf(*agent)); client.NotFound(err) {
				lease, err := f.Register(t.Context(), *agent)
				g.Expect(err).NotTo(HaveOccurred())
				agent.Registration = lease.Registration
			}
		}
	}
	g.Expect(f.store.Snapshot().Cell("c1").Start).To(Equal(newHost.Start))
	_, err = f.Report(t.Context(), "c1", reportOf(oldHost))
	g.Expect(client.Superseded(err)).To(BeTrue(), "%v", err)
	_, err = f.Report(t.Context(), "c1", reportOf(newHost))
	g.Expect(err).NotTo(HaveOccurred())
}

func TestALongPollEndsWithItsCaller(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	first, err := f.Work(t.Context(), "c1", 0, time.Minute)
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := f.Work(ctx, "c1", first.Revision, time.Minute)
		ended <- err
	}()
	cancel()
	g.Eventually(ended).Should(Receive(MatchError(context.Canceled)))
}
