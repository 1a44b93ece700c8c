package api

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mooring/lifecycle"
	"mooring/model"
	"mooring/state"
)

// leadersTimeout bounds how long one scrape waits for etcd to say who leads.
const leadersTimeout = 2 * time.Second

// controllers are the roles in which somebody has to lead.
var controllers = []string{"alerts", "orchestrator", "scheduler"}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("mooring_"+name, help, labels, nil)
}

var (
	descRevision  = describe("state_revision", "Revision of the state that this node shows.")
	descFollows   = describe("state_follows", "1 while this node's mirror follows the state, 0 once it has stopped.")
	descAge       = describe("state_age_seconds", "For how long what this node shows has not been known to be the newest state.")
	descProblems  = describe("state_problems", "What is wrong with the state as this node sees it, by kind.", "kind")
	descUsed      = describe("state_used_bytes", "Size of etcd's database, the largest member's; 0 while it is unknown.")
	descQuota     = describe("state_quota_bytes", "Size of etcd's database at which nothing can be written; 0 while it is unknown.")
	descLeader    = describe("controller_leader", "1 while somebody leads in the role, 0 while nobody does.", "role")
	descReceivers = describe("alert_receiver_failing", "1 while a receiver of alerts cannot be reached.", "receiver")
	descEvents    = describe("events", "Events that are kept.")
	descCells     = describe("cells", "Cells that registered and were not declared lost, by AZ and whether their agent is there.", "az", "present")
	descCordons   = describe("cells_cordoned", "Cells that take no new work.")
	descInstances = describe("app_instances", "Instances of an app by standing.", "app", "standing")
	descLimit     = describe("app_limit", "Effective limits of an app's policy.", "app", "limit")
	descPermits   = describe("app_permits", "Permits in use of an app by kind of disruption.", "app", "kind")
	descClaims    = describe("claims_waiting", "Claims in line for permits.")
	descPlans     = describe("plans", "Plans by status.", "status")
	descRolls     = describe("plan_rolls", "Rolls of the plans that have not finished, by phase.", "plan", "phase")
	descHeld      = describe("plan_rolls_stuck", "Rolls of the plans that have not finished, that are stuck.", "plan")
	descForeseen  = describe("estimate_foreseen_seconds", "How long a plan that has not finished was expected to take when it was made.", "plan", "quantile")
	descRight     = describe("estimate_outcomes_total", "Rolls and plans that were over by their p50, between it and their p90, and later.", "of", "outcome")
	descLearned   = describe("estimate_samples", "Durations that estimates of a step on hosts are made from.", "step")
	descStuck     = describe("stuck", "Things that are stuck, by kind.", "kind")
	descSeverity  = describe("stuck_by_severity", "Things that are stuck, by how much they matter.", "severity")
)

// stateCollector reads the state when it is asked, so that the figures are
// never older than the mirror. What can be counted is shown when it is 0 too.
type stateCollector struct {
	store *state.Store
	probe *state.Probe // nil where nobody looks
}

// gauges shows one figure.
type gauges func(desc *prometheus.Desc, value int, labels ...string)

// Describe implements prometheus.Collector.
func (stateCollector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		descRevision, descFollows, descAge, descProblems, descUsed, descQuota, descLeader, descReceivers, descEvents, descCells, descCordons,
		descInstances, descLimit, descPermits, descClaims, descPlans, descRolls, descHeld, descStuck, descSeverity,
		descForeseen, descRight, descLearned,
	} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (c stateCollector) Collect(out chan<- prometheus.Metric) {
	snap := c.store.Snapshot()
	gauge := func(desc *prometheus.Desc, value int, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), labels...)
	}
	gauge(descRevision, int(snap.Revision()))
	gauge(descFollows, one(c.store.Err() == nil))
	gauge(descAge, int(c.store.Age().Seconds()))
	c.problems(gauge)
	gauge(descEvents, snap.CountEvents())
	gauge(descCordons, len(snap.Cordons()))
	gauge(descClaims, len(snap.Claims()))
	c.leaders(gauge)
	for _, delivery := range snap.Deliveries() {
		gauge(descReceivers, one(!delivery.FailingSince.IsZero()), delivery.Receiver)
	}
	cells := map[[2]string]int{}
	for _, cell := range snap.Cells() {
		if cell.Lost {
			continue // nobody expects it any more
		}
		cells[[2]string{cell.AZ, strconv.FormatBool(snap.Present(cell.ID))}]++
	}
	for labels, count := range cells {
		gauge(descCells, count, labels[:]...)
	}
	for _, app := range snap.Apps() {
		collectApp(snap, app, gauge)
	}
	collectPlans(snap, gauge)
	collectEstimates(snap, out)
	collectStuck(snap, gauge)
}

// collectStuck counts what is stuck, without what moves again and is only kept
// open to see whether that lasts.
func collectStuck(snap *state.Snapshot, gauge gauges) {
	kinds, severities := map[model.StuckKind]int{}, map[model.Severity]int{}
	for _, item := range snap.StuckItems() {
		if !item.Recovered() {
			kinds[item.Kind]++
			severities[item.Kind.Severity()]++
		}
	}
	for _, kind := range model.StuckKinds {
		gauge(descStuck, kinds[kind], string(kind))
	}
	for _, severity := range model.Severities {
		gauge(descSeverity, severities[severity], string(severity))
	}
}

// problems counts what the probe has found.
func (c stateCollector) problems(gauge gauges) {
	if c.probe == nil {
		return
	}
	kinds := map[model.StuckKind]int{}
	for _, problem := range c.probe.Problems() {
		kinds[problem.Kind]++
	}
	for _, kind := range model.StateKinds {
		gauge(descProblems, kinds[kind], string(kind))
	}
	used := c.probe.Used()
	gauge(descUsed, int(used.Bytes))
	gauge(descQuota, int(used.Quota))
}

// leaders says nothing when etcd does not answer: state_follows does.
func (c stateCollector) leaders(gauge gauges) {
	ctx, cancel := context.WithTimeout(context.Background(), leadersTimeout)
	defer cancel()
	leaders, err := c.store.Leaders(ctx)
	if err != nil {
		return
	}
	for _, role := range controllers {
		gauge(descLeader, one(leaders[role] != ""), role)
	}
}

func collectApp(snap *state.Snapshot, app *model.App, gauge gauges) {
	name, limits := app.Name.String(), lifecycle.LimitsOf(&app.Policy, app.Instances)
	serving, disrupted, down := snap.Crew(app.GUID).Count()
	gauge(descInstances, serving, name, "serving")
	gauge(descInstances, disrupted, name, "disrupted")
	gauge(descInstances, down, name, "down")
	gauge(descLimit, limits.Interrupted, name, "interrupted")
	gauge(descLimit, limits.Draining, name, "draining")
	gauge(descLimit, limits.Disrupted, name, "disrupted")
	permits := map[model.Kind]int{}
	for _, permit := range snap.Ledger(app.GUID).Permits {
		permits[permit.Kind]++
	}
	gauge(descPermits, permits[model.Interrupt], name, string(model.Interrupt))
	gauge(descPermits, permits[model.Drain], name, string(model.Drain))
}

func collectPlans(snap *state.Snapshot, gauge gauges) {
	plans := map[model.PlanStatus]int{}
	for _, plan := range snap.Plans() {
		plans[plan.Status]++
		if plan.Finished() {
			continue
		}
		phases, stuck := map[model.Phase]int{}, 0
		for _, roll := range snap.Rolls(plan.Name) {
			phases[roll.Phase]++
			stuck += one(roll.StuckID != "" && !roll.Phase.Final())
		}
		for _, phase := range slices.Concat(model.Phases, []model.Phase{model.RollSkipped, model.RollAborted}) {
			gauge(descRolls, phases[phase], plan.Name, string(phase))
		}
		gauge(descHeld, stuck, plan.Name)
	}
	for _, status := range []model.PlanStatus{model.PlanRunning, model.PlanPaused, model.PlanAborted, model.PlanDone} {
		gauge(descPlans, plans[status], string(status))
	}
}

// collectEstimates shows what is foreseen, and how often that came true.
func collectEstimates(snap *state.Snapshot, out chan<- prometheus.Metric) {
	for _, plan := range snap.Plans() {
		if !plan.Finished() && plan.Foreseen != (model.Foreseen{}) {
			out <- prometheus.MustNewConstMetric(descForeseen, prometheus.GaugeValue, plan.Foreseen.Half.D().Seconds(), plan.Name, "0.5")
			out <- prometheus.MustNewConstMetric(descForeseen, prometheus.GaugeValue, plan.Foreseen.Most.D().Seconds(), plan.Name, "0.9")
		}
	}
	known := snap.Durations(model.Hosts)
	if known == nil {
		return
	}
	for of, tally := range map[string]model.Tally{"roll": known.Rolls, "plan": known.Plans} {
		for outcome, n := range map[string]int{"early": tally.Early, "within": tally.Within, "late": tally.Late} {
			out <- prometheus.MustNewConstMetric(descRight, prometheus.CounterValue, float64(n), of, outcome)
		}
	}
	for step, samples := range known.Samples {
		out <- prometheus.MustNewConstMetric(descLearned, prometheus.GaugeValue, float64(len(samples)), step)
	}
}

// one is 1 for what is so.
func one(so bool) int {
	if so {
		return 1
	}
	return 0
}
