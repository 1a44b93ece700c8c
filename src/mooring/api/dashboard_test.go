package api

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// dashboard is what of Grafana's format concerns where figures come from.
type dashboard struct {
	Panels []struct {
		ID          int
		Type, Title string
		Description string
		Targets     []struct{ Expr string }
		GridPos     struct{ H, W, X, Y int }
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	g := NewWithT(t)
	content, err := os.ReadFile(filepath.Join(root, "config", "grafana", "mooring.json"))
	g.Expect(err).NotTo(HaveOccurred())
	var d dashboard
	g.Expect(json.Unmarshal(content, &d)).To(Succeed())
	return d
}

// TestTheDashboardShowsAFigureInEveryPanel asks a real Prometheus, which
// scrapes a control plane that has some of everything, for each expression.
func TestTheDashboardShowsAFigureInEveryPanel(t *testing.T) {
	g, f := NewWithT(t), newFixtureOfLease(t, 2*time.Second).withCells(t, 2) // of which one goes
	g.Expect(f.store.Keep(t.Context(), &model.Presence{CellID: "c1", Boot: "c1-boot-1", Start: "c1-start-1"}, time.Hour)).To(Succeed())
	_, err := f.Push(t.Context(), plain("web", 3))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = f.StartPlan(t.Context(), aPlan("one", "c1"))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = f.StartPlan(t.Context(), aPlan("one", "c1"))
	g.Expect(err).To(HaveOccurred(), "a request that is refused")
	app := f.store.Snapshot().AppNamed(named("web"))
	f.put(t,
		&model.Roll{Plan: "one", CellID: "c1", Phase: model.Draining, StuckID: "a"},
		&model.Stuck{ID: "a", Kind: model.HandlerHung, Plan: "one", CellID: "c1"},
		&model.Ledger{AppGUID: app.GUID, Permits: []model.Permit{{ID: "p", Index: 0, Kind: model.Drain}}},
		&model.Delivery{Receiver: "ops", FailingSince: time.Now()})

	prometheus := startPrometheus(t, f.url)
	g.Eventually(func() (int, error) { return prometheus.series("mooring_state_revision") }, "60s").Should(Equal(1))
	// What grows shows once it was seen to grow.
	start := time.Now()
	released := func() {
		tx := f.store.Snapshot().Txn()
		tx.Event(model.Event{Kind: model.EventPermitReleased, App: "acme/prod/web", Permit: &model.Permit{Kind: model.Drain,
			Times: map[model.Step]time.Time{model.StepGranted: start, model.StepAsked: start, model.StepYielded: start.Add(time.Second), model.StepReleased: start.Add(time.Minute)}}})
		_, err := f.store.Commit(t.Context(), tx)
		g.Expect(err).NotTo(HaveOccurred())
	}
	released()
	g.Eventually(func() (int, error) { return prometheus.series("mooring_disruption_seconds_count == 1") }, "60s").Should(Equal(1))
	released()

	every := strings.NewReplacer("$app", ".*", "$plan", ".*")
	for _, panel := range readDashboard(t).Panels {
		for _, target := range panel.Targets {
			g.Eventually(func() (int, error) { return prometheus.series(every.Replace(target.Expr)) }, "60s").
				Should(BeNumerically(">", 0), "%s: %s", panel.Title, target.Expr)
		}
	}
}

func TestTheDashboardIsLaidOutForPeople(t *testing.T) {
	g := NewWithT(t)
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, panel := range readDashboard(t).Panels {
		g.Expect(ids).NotTo(HaveKey(panel.ID), panel.Title)
		ids[panel.ID] = true
		if panel.Type != "row" {
			g.Expect(panel.Targets).NotTo(BeEmpty(), panel.Title)
			g.Expect(panel.Description).NotTo(BeEmpty(), "%s says what it shows", panel.Title)
		}
		at := panel.GridPos
		g.Expect(at.X+at.W).To(BeNumerically("<=", 24), "%s fits the page", panel.Title)
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				g.Expect(taken[[2]int{x, y}]).To(BeEmpty(), "%s lies over another", panel.Title)
				taken[[2]int{x, y}] = panel.Title
			}
		}
	}
}
