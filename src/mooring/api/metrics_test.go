package api

import (
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestMetricsCountWhatIsNotThere(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	status, content := f.read(t, "/metrics")
	g.Expect(status).To(Equal(http.StatusOK))
	for _, line := range []string{
		`mooring_stuck{kind="cell-gone"} 0`, `mooring_plans{status="running"} 0`, `mooring_state_follows 1`,
		`mooring_controller_leader{role="orchestrator"} 0`, `mooring_controller_leader{role="alerts"} 0`, `mooring_events 0`,
	} {
		g.Expect(content).To(ContainSubstring(line+"\n"), "an alert needs a figure to begin with")
	}
	g.Expect(f.store.Close()).To(Succeed())
	_, content = f.read(t, "/metrics")
	g.Expect(content).To(ContainSubstring("mooring_state_follows 0\n"))
}

func TestMetricsOfMaintenance(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 2)
	_, err := f.Push(t.Context(), plain("web", 3))
	g.Expect(err).NotTo(HaveOccurred())
	app := f.store.Snapshot().AppNamed(named("web"))
	_, err = f.StartPlan(t.Context(), aPlan("one", "c1"))
	g.Expect(err).NotTo(HaveOccurred())
	_, err = f.store.Lead(t.Context(), "scheduler", "node-1")
	g.Expect(err).NotTo(HaveOccurred())
	f.put(t,
		&model.Roll{Plan: "one", CellID: "c1", Phase: model.Draining, StuckID: "a"},
		&model.Ledger{AppGUID: app.GUID, Permits: []model.Permit{{ID: "p", Index: 0, Kind: model.Drain}, {ID: "q", Index: 1, Kind: model.Drain}}},
		&model.Cell{ID: "c3", AZ: "z1"}, &model.Cell{ID: "c4", AZ: "z1", Lost: true},
		&model.Delivery{Receiver: "ops", FailingSince: time.Now()}, &model.Delivery{Receiver: "log"})
	_, content := f.read(t, "/metrics")
	for _, line := range []string{
		`mooring_plans{status="running"} 1`,
		`mooring_plan_rolls{phase="draining",plan="one"} 1`, `mooring_plan_rolls{phase="done",plan="one"} 0`,
		`mooring_plan_rolls_stuck{plan="one"} 1`,
		`mooring_app_permits{app="acme/prod/web",kind="drain"} 2`, `mooring_app_permits{app="acme/prod/web",kind="interrupt"} 0`,
		`mooring_controller_leader{role="scheduler"} 1`,
		`mooring_cells{az="z1",present="false"} 1`, // nobody waits for one that is lost
		`mooring_alert_receiver_failing{receiver="ops"} 1`, `mooring_alert_receiver_failing{receiver="log"} 0`,
	} {
		g.Expect(content).To(ContainSubstring(line + "\n"))
	}
}

func TestWhatIsStuckIsCountedByKindAndSeverity(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.put(t, aStuck("a"), aStuck("b"), &model.Stuck{ID: "c", Kind: model.CellGone, CellID: "c1"},
		&model.Stuck{ID: "d", Kind: model.CellGone, CellID: "c2", RecoveredAt: time.Now()})
	_, content := f.read(t, "/metrics")
	for _, line := range []string{
		`mooring_stuck{kind="handler-hung"} 2`, `mooring_stuck{kind="cell-gone"} 1`, `mooring_stuck{kind="instance-not-stopped"} 0`,
		`mooring_stuck_by_severity{severity="critical"} 1`, `mooring_stuck_by_severity{severity="warning"} 2`, `mooring_stuck_by_severity{severity="info"} 0`,
	} {
		g.Expect(content).To(ContainSubstring(line+"\n"), "what moves again is not stuck")
	}
}

func TestDisruptionsOfAnAppCountFromNoneOn(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.put(t, &model.App{GUID: "a", Name: named("web")}, &model.App{GUID: "b", Name: named("db"), Policy: model.Policy{Drain: &model.Handler{Command: "drain"}}})
	_, content := f.read(t, "/metrics")
	for _, line := range []string{
		`mooring_handler_seconds_count{app="acme/prod/web",kind="interrupt"} 0`, `mooring_disruption_seconds_count{app="acme/prod/web",kind="interrupt"} 0`,
		`mooring_handler_seconds_count{app="acme/prod/db",kind="drain"} 0`,
	} {
		g.Expect(content).To(ContainSubstring(line + "\n"))
	}
	g.Expect(content).NotTo(ContainSubstring(`mooring_handler_seconds_count{app="acme/prod/web",kind="drain"}`), "it is never drained")
}

func TestDisruptionsAreMeasuredOnce(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	released := func(times map[model.Step]time.Duration) {
		permit := &model.Permit{Kind: model.Drain, Times: map[model.Step]time.Time{}}
		for step, after := range times {
			permit.Times[step] = start.Add(after)
		}
		tx := f.store.Snapshot().Txn()
		tx.Event(model.Event{Kind: model.EventPermitReleased, App: "acme/prod/web", Permit: permit})
		_, err := f.store.Commit(t.Context(), tx)
		g.Expect(err).NotTo(HaveOccurred())
	}
	released(map[model.Step]time.Duration{model.StepGranted: 0, model.StepAsked: time.Second, model.StepYielded: 41 * time.Second, model.StepReleased: 100 * time.Second})
	released(map[model.Step]time.Duration{model.StepGranted: 0, model.StepReleased: 3 * time.Second})
	for range 2 {
		_, content := f.read(t, "/metrics")
		for _, line := range []string{
			`mooring_handler_seconds_sum{app="acme/prod/web",kind="drain"} 40`,
			`mooring_handler_seconds_count{app="acme/prod/web",kind="drain"} 1`,
			`mooring_handler_seconds_bucket{app="acme/prod/web",kind="drain",le="30"} 0`,
			`mooring_disruption_seconds_sum{app="acme/prod/web",kind="drain"} 103`,
			`mooring_disruption_seconds_count{app="acme/prod/web",kind="drain"} 2`,
		} {
			g.Expect(content).To(ContainSubstring(line+"\n"), "however often it is asked")
		}
	}
}

func TestHowOftenForesightWasRightIsShown(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.put(t, &model.Durations{Subject: model.Hosts, Rolls: model.Tally{Early: 5, Within: 4, Late: 1}, Plans: model.Tally{Late: 2},
		Samples: map[string][]model.Sample{"recreate/away": {{At: 1, Millis: 2}, {At: 3, Millis: 4}}}},
		&model.Plan{PlanSpec: model.PlanSpec{Name: "p"}, Status: model.PlanRunning, Foreseen: model.Foreseen{Half: model.Duration(time.Minute), Most: model.Duration(2 * time.Minute)}})
	_, text := f.read(t, "/metrics")
	for _, line := range []string{
		`mooring_estimate_outcomes_total{of="roll",outcome="within"} 4`,
		`mooring_estimate_outcomes_total{of="plan",outcome="late"} 2`,
		`mooring_estimate_samples{step="recreate/away"} 2`,
		`mooring_estimate_foreseen_seconds{plan="p",quantile="0.9"} 120`,
	} {
		g.Expect(text).To(ContainSubstring(line))
	}
}
