package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mooring/state"
)

// metrics are what Prometheus is shown: the state as it is when it asks, and
// the requests of this node.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(store *state.Store, probe *state.Probe) *metrics {
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
	m.registry.MustRegister(m.requests, m.seconds, stateCollector{store, probe}, newDisruptionCollector(store),
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
