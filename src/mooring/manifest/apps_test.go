package manifest_test

import (
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/manifest"
	"mooring/model"
)

var here = model.Name{Org: "acme", Space: "prod"}

const redis = `
applications:
- name: redis-data
  owner: "#data"
  instances: 6
  memory: 256M
  command: bin/redis-node
  env: {MODE: cluster, DEBUG: 1}
  ports: [client, bus]
  health: {type: http, path: /up, interval: 500ms, timeout: 1s, start_timeout: 2m}
  mounts:
  - {volume: redis-data, path: /data}
  pool: big
  lifecycle:
    max_interrupted: 1          # a count, or "25%"
    max_draining: "25%"
    max_disrupted: 2
    interrupt: {command: bin/step-down, cancel: bin/step-up, timeout: 60s, progress_timeout: 15s}
    drain:     {http: /drain, timeout: 2h, progress_timeout: 5m}
    healthy_for: 10s
    return_within: 10m
    floating: stay
    on_stuck: {force_after: 2h}
- name: broker
  org: other
  space: test
  command: |
    bin/broker \
      --verbose
`

func TestParseApps(t *testing.T) {
	g := NewWithT(t)
	apps, err := manifest.ParseApps("app.yml", []byte(redis), here)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(apps).To(HaveLen(2))

	seconds := func(n int) model.Duration { return model.Duration(time.Duration(n) * time.Second) }
	g.Expect(apps[0]).To(Equal(model.App{
		Name:      model.Name{Org: "acme", Space: "prod", Name: "redis-data"},
		Owner:     "#data",
		Instances: 6,
		Spec: model.RunSpec{
			Command: "bin/redis-node",
			Env:     map[string]string{"MODE": "cluster", "DEBUG": "1"},
			Memory:  256 * model.Megabyte,
			Ports:   []string{"client", "bus"},
			Health: model.HealthCheck{Type: model.HealthHTTP, Path: "/up", Interval: model.Duration(500 * time.Millisecond),
				Timeout: seconds(1), StartTimeout: seconds(120)},
			Mounts: []model.Mount{{VolumeSet: "redis-data", Path: "/data"}},
			Pool:   "big",
		},
		Policy: model.Policy{
			MaxInterrupted: model.Limit{Count: 1},
			MaxDraining:    model.Limit{Percent: 25},
			MaxDisrupted:   &model.Limit{Count: 2},
			Interrupt:      &model.Handler{Command: "bin/step-down", Cancel: "bin/step-up", Timeout: seconds(60), ProgressTimeout: seconds(15)},
			Drain:          &model.Handler{HTTP: "/drain", Timeout: seconds(7200), ProgressTimeout: seconds(300)},
			HealthyFor:     seconds(10),
			ReturnWithin:   seconds(600),
			Floating:       model.FloatingStay,
			OnStuck:        model.OnStuck{Answer: model.StuckForce, After: seconds(7200)},
		},
	}))
	g.Expect(apps[1].Name.String()).To(Equal("other/test/broker"))
	g.Expect(apps[1].Instances).To(Equal(1))
	g.Expect(apps[1].Spec.Command).To(Equal("bin/broker \\\n  --verbose\n"))
	g.Expect(apps[1].Policy).To(Equal(model.Policy{MaxInterrupted: model.Limit{Count: 1}, MaxDraining: model.Limit{Count: 1}}))
}

func TestParseAppsTakesTheShortForms(t *testing.T) {
	g := NewWithT(t)
	apps, err := manifest.ParseApps("app.yml", []byte(`
applications:
- name: cache
  command: run
  ports: main
  mounts: [{volume: cache, path: /data}]
  lifecycle: {max_interrupted: 50%, max_draining: 0, drain: none, on_stuck: skip}
`), here)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(apps[0].Spec.Ports).To(Equal([]string{"main"}))
	g.Expect(apps[0].Policy).To(Equal(model.Policy{
		MaxInterrupted: model.Limit{Percent: 50}, DataDisposable: true, OnStuck: model.OnStuck{Answer: model.StuckSkip},
	}))
}

func TestParseAppsReusesWhatIsAnchored(t *testing.T) {
	g := NewWithT(t)
	apps, err := manifest.ParseApps("app.yml", []byte(`
applications:
- &first
  name: one
  command: run
  lifecycle: {max_interrupted: 1}
- <<: *first
  name: two
`), here)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(apps[1].Name.Name).To(Equal("two"))
	g.Expect(apps[1].Spec.Command).To(Equal("run"))
}

func TestTheKitsOwnManifestIsSound(t *testing.T) {
	g := NewWithT(t)
	data, err := os.ReadFile("../kits/redis/manifest.yml")
	g.Expect(err).NotTo(HaveOccurred())
	_, err = manifest.ParseApps("manifest.yml", data, here)
	g.Expect(err).NotTo(HaveOccurred())
}

func TestParseAppsSaysWhatIsWrongAndWhere(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"an empty file":   {"", "app.yml: applications: is missing; list at least one"},
		"no applications": {"applications: []\n", "app.yml:1:1: applications: is missing; list at least one"},
		"an unknown field": {`
applications:
- name: a
  memroy: 1G
`, `app.yml:4:3: unknown field "memroy"`},
		"an unknown field of the policy": {`
applications:
- name: a
  command: run
  lifecycle:
    max_interupted: 1
`, `app.yml:6:5: unknown field "max_interupted"`},
		"an unknown field of the drain": {`
applications:
- name: a
  command: run
  lifecycle:
    max_interrupted: 1
    max_draining: 1
    drain:
      comand: run
`, `app.yml:9:7: unknown field "comand"`},
		"a field twice": {`
applications:
- name: a
  name: b
`, `app.yml:4:3: mapping key "name" already defined at [3:3]`},
		"no YAML": {"applications: [\n", "app.yml:1:15: sequence end token ']' not found"},
		"one application where a list belongs": {`
applications:
  name: a
`, "app.yml:3:7: a list belongs here"},
		"a list where a value belongs": {`
applications:
- name: [a, b]
`, "app.yml:3:9: a single value belongs here"},
		"nothing where a value belongs": {`
applications:
- name:
  command: run
`, "app.yml:3:8: name: is missing; name the application"},
		"a list where a handler belongs": {`
applications:
- name: a
  lifecycle:
    drain: [x]
`, "app.yml:5:12: a handler belongs here, or none if the data is disposable"},
		"many at once, in order": {`
applications:
- name: A
  instances: some
  memory: 256
  command: run
  env: {PORT: 80}
  mounts:
  - {volume: data, path: data}
  lifecycle:
    max_interrupted: most
    interrupt: {command: x, http: /x}
    drain: {command: x, timeout: soon}
    on_stuck: {force_after: never}
- name: b
- name: b
  command: run
`, `app.yml:3:9: name: application "A" is not a name: use 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit
app.yml:4:14: instances: "some" is not a whole number
app.yml:5:11: memory: size "256" has no unit; write 256M or 256G
app.yml:7:15: env.PORT: is set by the platform; choose another name
app.yml:9:26: mounts[0].path: is "data"; write an absolute path such as /data
app.yml:10:3: lifecycle.max_draining: is missing; say how many instances may drain at once, 0 for never
app.yml:11:22: lifecycle.max_interrupted: limit "most" is neither a count such as 1 nor a share such as 25%
app.yml:12:5: lifecycle.interrupt: has both a command and an http path; give one
app.yml:13:34: lifecycle.drain.timeout: duration "soon" is not a time such as 90s, 5m or 2h
app.yml:14:29: lifecycle.on_stuck.force_after: duration "never" is not a time such as 90s, 5m or 2h
app.yml:15:3: command: is missing; say what an instance runs
app.yml:16:9: name: acme/prod/b is in the manifest twice`},
		"volumes without a lifecycle": {`
applications:
- name: a
  command: run
  mounts: [{volume: a, path: /a}]
`, "app.yml:3:3: lifecycle: is missing; an application with volumes says how many of its instances may be disrupted"},
		"a lifecycle without a limit": {`
applications:
- name: a
  command: run
  lifecycle: {healthy_for: 1s}
`, "app.yml:5:3: lifecycle.max_interrupted: is missing; say how many instances may be interrupted at once, 0 for never"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			apps, err := manifest.ParseApps("app.yml", []byte(row.text), here)
			g.Expect(err).To(MatchError(row.want))
			g.Expect(apps).To(BeNil())
		})
	}
}
