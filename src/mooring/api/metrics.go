package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mooring/lifecycle"
	"mooring/state"
)

// metrics are what Prometheus is shown: the state as it is when it asks, and
// the requests of this node.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(store *state.Store) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mooring_api_requests_total", Help: "Requests answered, by operation and HTTP status.",
		}, []string{"operation", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mooring_api_request_seconds", Help: "How long answers took. Long polls and streams wait on purpose.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"operation"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, stateCollector{store},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// middleware counts every operation.
func (m *metrics) middleware(ctx huma.Context, next func(huma.Context)) {
	began := time.Now()
	next(ctx)
	operation, status := ctx.Operation().OperationID, ctx.Status()
	if status == 0 {
		status = http.StatusOK
	}
	m.requests.WithLabelValues(operation, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(operation).Observe(time.Since(began).Seconds())
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("mooring_"+name, help, labels, nil)
}

var (
	descRevision  = describe("state_revision", "Revision of the state that this node shows.")
	descCells     = describe("cells", "Cells that registered, by AZ and whether their agent is there.", "az", "present")
	descCordons   = describe("cells_cordoned", "Cells that take no new work.")
	descInstances = describe("app_instances", "Instances of an app by standing.", "app", "standing")
	descLimit     = describe("app_limit", "Effective limits of an app's policy.", "app", "limit")
	descClaims    = describe("claims_waiting", "Claims in line for permits.")
	descRolls     = describe("plan_rolls", "Rolls of the plans that have not finished, by phase.", "plan", "phase")
	descStuck     = describe("stuck", "Things that are stuck, by kind.", "kind")
)

// stateCollector reads the state when it is asked, so that the figures are
// never older than the mirror.
type stateCollector struct{ store *state.Store }

// Describe implements prometheus.Collector.
func (stateCollector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descRevision, descCells, descCordons, descInstances, descLimit, descClaims, descRolls, descStuck} {
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
	gauge(descCordons, len(snap.Cordons()))
	gauge(descClaims, len(snap.Claims()))
	cells := map[[2]string]int{}
	for _, cell := range snap.Cells() {
		cells[[2]string{cell.AZ, strconv.FormatBool(snap.Present(cell.ID))}]++
	}
	for labels, count := range cells {
		gauge(descCells, count, labels[:]...)
	}
	for _, app := range snap.Apps() {
		name, limits := app.Name.String(), lifecycle.LimitsOf(&app.Policy, app.Instances)
		serving, disrupted, down := snap.Crew(app.GUID).Count()
		gauge(descInstances, serving, name, "serving")
		gauge(descInstances, disrupted, name, "disrupted")
		gauge(descInstances, down, name, "down")
		gauge(descLimit, limits.Interrupted, name, "interrupted")
		gauge(descLimit, limits.Draining, name, "draining")
		gauge(descLimit, limits.Disrupted, name, "disrupted")
	}
	for _, plan := range snap.Plans() {
		if plan.Finished() {
			continue
		}
		phases := map[string]int{}
		for _, roll := range snap.Rolls(plan.Name) {
			phases[string(roll.Phase)]++
		}
		for phase, count := range phases {
			gauge(descRolls, count, plan.Name, phase)
		}
	}
	stuck := map[string]int{}
	for _, item := range snap.StuckItems() {
		stuck[string(item.Kind)]++
	}
	for kind, count := range stuck {
		gauge(descStuck, count, kind)
	}
}
