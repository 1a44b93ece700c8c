package api

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mooring/model"
	"mooring/state"
)

// disruptionCollector measures disruptions that ended since this node began,
// from the events about them. Every node counts all of them.
type disruptionCollector struct {
	store    *state.Store
	handlers *prometheus.HistogramVec
	whole    *prometheus.HistogramVec

	mu sync.Mutex
	// after is the last event that was looked at.
	after string
}

// disruptionBuckets reach from a process that needs no handler to a drain that
// takes half a day.
var disruptionBuckets = []float64{1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200}

func newDisruptionCollector(store *state.Store) *disruptionCollector {
	c := &disruptionCollector{
		store: store, after: "0",
		handlers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mooring_handler_seconds", Buckets: disruptionBuckets,
			Help: "From asking an instance to go until its process had stopped, by app and kind of disruption.",
		}, []string{"app", "kind"}),
		whole: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mooring_disruption_seconds", Buckets: disruptionBuckets,
			Help: "From the grant of a permit until it was given back, by app and kind of disruption.",
		}, []string{"app", "kind"}),
	}
	if newest := store.Snapshot().RecentEvents(1); len(newest) > 0 {
		c.after = newest[0].ID
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *disruptionCollector) Describe(out chan<- *prometheus.Desc) {
	c.handlers.Describe(out)
	c.whole.Describe(out)
}

// Collect implements prometheus.Collector.
func (c *disruptionCollector) Collect(out chan<- prometheus.Metric) {
	snap := c.store.Snapshot()
	c.catchUp(snap)
	c.begin(snap)
	c.handlers.Collect(out)
	c.whole.Collect(out)
}

// begin makes the series of every app and kind that it has to expect, so that what happens to one for the first
// time is an increase, and not only where it began to count.
func (c *disruptionCollector) begin(snap *state.Snapshot) {
	for _, app := range snap.Apps() {
		kinds := []model.Kind{model.Interrupt}
		if app.Policy.Drain != nil {
			kinds = append(kinds, model.Drain)
		}
		for _, kind := range kinds {
			c.handlers.WithLabelValues(app.Name.String(), string(kind))
			c.whole.WithLabelValues(app.Name.String(), string(kind))
		}
	}
}

// catchUp measures what ended since the last look.
func (c *disruptionCollector) catchUp(snap *state.Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for event := range snap.EventsAfter(c.after) {
		c.after = event.ID
		permit := event.Permit
		if event.Kind != model.EventPermitReleased || permit == nil {
			continue
		}
		asked := permit.Times[model.StepAsked]
		if asked.IsZero() { // the cell was quicker than anybody looked
			asked = permit.Times[model.StepGranted]
		}
		observe(c.handlers, event.App, permit.Kind, asked, permit.Times[model.StepYielded])
		observe(c.whole, event.App, permit.Kind, permit.Times[model.StepGranted], permit.Times[model.StepReleased])
	}
}

// observe leaves out what did not happen: one that crashed was never asked.
func observe(in *prometheus.HistogramVec, app string, kind model.Kind, from, to time.Time) {
	if !from.IsZero() && !to.IsZero() {
		in.WithLabelValues(app, string(kind)).Observe(to.Sub(from).Seconds())
	}
}
