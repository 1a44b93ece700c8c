package cli_test

import (
	"testing"

	. "github.com/onsi/gomega"
)

const dataFile = `
applications:
- name: db
  instances: 3
  command: run
  mounts: [{volume: data, path: /data}]
  lifecycle:
    max_interrupted: 1
    max_draining: 1
    drain: {command: move}
`

func TestAPolicyIsCheckedWithoutAnAPI(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	path := file(t, "app.yml", dataFile)
	r := api.run(t, "check-policy", "-f", path, "--alone")
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(r.out).To(Equal(lines(
		"acme/prod/db, 3 instances",
		"  max_interrupted:  1",
		"  max_draining:     1",
		"  max_disrupted:    1",
		"what it can stand:",
		"  while all 3 serve, 1 may be interrupted or 1 drained at once",
		"  while 1 is down, no other may be disrupted: maintenance waits until it serves again",
		"  one instance fails: 1 of 3 down, no more than max_interrupted allows (1); rolls of every other cell that has one wait",
		"not known: what an action on a host means: the manifest does not say what class its volumes are of; --class does",
		"not known: what becomes of it when a cell or a zone fails: where its instances would be is the fleet's to say",
		"not known: what it costs the fleet: that takes the fleet; leave out --alone",
		"note: lifecycle: one instance that is down uses up the whole budget: no cell with another one is rolled until it serves again",
	)))
	r = api.run(t, "check-policy", "-f", path, "--alone", "--class", "ephemeral", "--json")
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(r.out).To(And(ContainSubstring(`"action": "recreate"`), ContainSubstring("drained: its data leaves with the cell")))
	g.Expect(api.requests()).To(BeEmpty())
}

func TestAPolicyAloneThatWouldBeRefused(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	path := file(t, "app.yml", dataFile)
	for _, args := range [][]string{{"--alone", "--class", "tape"}, {"--class", "persistent"}} {
		r := api.run(t, append([]string{"check-policy", "-f", path}, args...)...)
		g.Expect(r.status).To(Equal(2), "%v: %s", args, r.err)
	}
	r := execute(t.Context(), "", []string{"--api", "http://127.0.0.1:1", "check-policy", "-f", path})
	g.Expect(r.status).To(Equal(1))
	g.Expect(r.err).To(ContainSubstring("--alone asks no API"))
}
