package drill

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

// leisurely is a healthy handler whose instance takes its own time: instance 0
// far longer than it may stand still, but it gets on all along.
const leisurely = `#!/bin/sh
if [ "$CF_INSTANCE_INDEX" = 0 ]; then
  for step in 1 2 3 4 5 6 7 8; do
    echo "{\"progress\": 0.$step, \"message\": \"slowly\"}"
    sleep 0.4
  done
fi
sleep 0.$(( $(od -An -N1 -tu1 /dev/urandom) % 5 ))
`

// A hundred rolls in which nothing goes wrong are no news to anybody.
func TestUndisturbedRollsRaiseNoAlert(t *testing.T) {
	const cells, plans = 20, 5
	g := NewWithT(t)
	d := newDrill(t, service{}, nil, "--cells", fmt.Sprint(cells), "--azs", "2", "--domains", "3", "--lease-ttl", "10s")
	d.Write("handler.sh", leisurely, 0o755)
	d.push(service{instances: cells, class: "persistent", lifecycle: `
		max_interrupted: 5
		max_draining: 1
		interrupt: {command: HANDLER, timeout: 30s, progress_timeout: 2s}
		drain: none
		return_within: 30s`})
	d.Eventually("moor app redis", "20 of 20 serving")

	began := time.Now()
	rolled := 0
	for n := range plans {
		name := fmt.Sprint("p", n)
		d.roll(name, "cells: all\naction: "+[]string{"restart", "reboot", "recreate"}[n%3])
		g.Eventually(func() model.PlanStatus { return d.plan(name).Status }, 3*patience, "200ms").Should(Equal(model.PlanDone))
		rolled += len(d.done(name))
	}
	t.Logf("%d rolls in %s", rolled, time.Since(began).Round(time.Second))
	g.Expect(rolled).To(Equal(cells * plans))
	g.Expect(d.stuck()).To(BeEmpty())
	events, err := d.api.Events(t.Context(), client.EventQuery{Limit: 10_000})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(len(events)).To(BeNumerically("<", 10_000), "those are all")
	g.Expect(events).To(ContainElement(HaveField("Kind", model.EventPermitReleased)))
	g.Expect(events).NotTo(ContainElement(Satisfy(func(event model.Event) bool { return event.IsOf("stuck") })))
}
