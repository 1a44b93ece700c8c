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

// others are what else stands on the cells, with the class of its volumes: what
// is drained when a host is recreated, what moves with its volumes, and what is
// replaced first.
var others = map[string]string{"cache": "ephemeral", "files": "shared", "web": ""}

const othersManifest = `applications:
- name: cache
  instances: 4
  memory: 16M
  command: "%[1]s/instance.sh"
  health: {type: command, command: "true", interval: 100ms}
  mounts: [{volume: cache, path: /data}]
  lifecycle:
    healthy_for: 200ms
    max_interrupted: 2
    max_draining: 2
    interrupt: {command: %[1]s/handler.sh, timeout: 30s, progress_timeout: 2s}
    drain: {command: %[1]s/handler.sh, timeout: 30s, progress_timeout: 2s}
    return_within: 30s
- name: files
  instances: 4
  memory: 16M
  command: "%[1]s/instance.sh"
  health: {type: command, command: "true", interval: 100ms}
  mounts: [{volume: files, path: /data}]
  lifecycle:
    healthy_for: 200ms
    max_interrupted: 2
    max_draining: 2
    interrupt: {command: %[1]s/handler.sh, timeout: 30s, progress_timeout: 2s}
    drain: none
    return_within: 30s
- name: web
  instances: 4
  memory: 16M
  command: "%[1]s/instance.sh"
  health: {type: command, command: "true", interval: 100ms}
  lifecycle: {healthy_for: 200ms, max_interrupted: 2, max_draining: 2, drain: none, return_within: 30s}
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
	for app, class := range others {
		if class != "" {
			d.Must(fmt.Sprintf("moor create-volume-set %s --class %s --count 4 --size 10M", app, class))
		}
	}
	d.Write("others.yml", fmt.Sprintf(othersManifest, d.Dir), 0o644)
	d.Must("moor push -f others.yml")
	for app := range others {
		d.Eventually("moor app "+app, "4 of 4 serving")
	}

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
	d.retold("p0", "p4")
	events, err := d.api.Events(t.Context(), client.EventQuery{Limit: 10_000})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(len(events)).To(BeNumerically("<", 10_000), "those are all")
	g.Expect(events).To(ContainElement(HaveField("Kind", model.EventPermitReleased)))
	g.Expect(events).To(ContainElement(And(HaveField("App", "default/default/cache"), HaveField("Permit", HaveValue(HaveField("Kind", model.Drain))))), "some were drained")
	g.Expect(events).To(ContainElement(And(HaveField("App", "default/default/files"), HaveField("Permit", HaveValue(HaveField("Move", true))))), "some were moved")
	instances, err := d.api.Instances(t.Context(), model.Name{Org: "default", Space: "default", Name: "web"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(instances).To(HaveEach(HaveField("Standing", "serving")), "and those without volumes were replaced first")
	g.Expect(events).NotTo(ContainElement(Satisfy(func(event model.Event) bool { return event.IsOf("stuck") })))
}
