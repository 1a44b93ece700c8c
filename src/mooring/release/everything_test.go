package release

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/dev/devtest"
	"mooring/director/fakedirector"
	"mooring/director/fakedirector/deployment"
)

// withEverything is onLoopback with each job given all that may be given: what
// golden files are kept of, with addresses of this machine.
func withEverything(t *testing.T, url, ca, alerts string) (*deployment.Director, map[string]any, map[string]map[string]any) {
	t.Helper()
	director, manifest, here := onLoopback(t)
	properties := map[string]map[string]any{}
	for name, given := range renderings {
		properties[name] = maps.Clone(given)
		if given == nil {
			properties[name] = map[string]any{}
		}
	}
	for name, given := range here {
		maps.Copy(properties[name], given)
	}
	login := map[string]any{"url": url, "ca": ca, "client": "moor", "secret": "secret"}
	api, orchestrator := properties["api"], properties["orchestrator"]
	api["director"], orchestrator["director"] = login, login
	api["access"] = map[string]any{
		"certificates": []any{
			map[string]any{"name": "mooring-operator", "roles": []string{"operator"}},
			map[string]any{"name": "mooring-cell", "roles": []string{"cell"}},
		},
		"tokens": api["access"].(map[string]any)["tokens"],
		"anyone": []string{"scraper"},
	}
	uaa := maps.Clone(api["uaa"].(map[string]any))
	uaa["url"], uaa["ca"] = url+"/oauth/token", ca
	api["uaa"] = uaa
	orchestrator["alerts"] = map[string]any{
		"board": alerts, "webhook_secret": "s3cret",
		"receivers": []any{
			map[string]any{"name": "ops", "alertmanager": map[string]any{"urls": []string{alerts}}},
			map[string]any{"name": "pager", "webhook": map[string]any{"url": alerts, "secret_file": "/var/vcap/jobs/orchestrator/config/webhook_secret"}}},
		"routes": []any{map[string]any{"receivers": []string{"ops", "pager"}}},
	}
	properties["volume-manager"]["shared"] = []any{map[string]any{"name": "shared", "root": "/var/vcap/data/nfs", "capacity": "1G"}}
	properties["roll-cells"] = map[string]any{"plan": map[string]any{
		"name": "kernel", "cells": "all", "action": "restart", "via": map[string]any{"bosh": map[string]any{"instance_group": "cell"}},
	}}
	return director, manifest, properties
}

// What the jobs would run when all is given that may be: each flag is one that
// moor knows, and the API and the orchestrator reach the Director with what the
// release gives them. The errand has it restart the cell, as BOSH does, with the
// scripts of the job.
func TestTheJobsRunWithEverythingGiven(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	v := newVM(t)
	alerts := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(alerts.Close)
	script := func(path string, args ...string) func(env []string) error {
		return func(env []string) error {
			output, err := v.run(t, "cell", path, env, args...)
			if err != nil {
				return fmt.Errorf("%w: %s", err, output)
			}
			return nil
		}
	}
	director := fakedirector.New(fakedirector.Config{Deployment: "mooring", Group: "cell", AZs: []string{"z1"}, User: "moor", Password: "secret", UAA: true,
		Instances: []*fakedirector.Instance{{ID: identities()[0], AZ: "z1", VM: fakedirector.VM{
			PreStop: func(_ context.Context, env []string) error { return script("bin/pre-stop")(env) },
			Act: func(string) error {
				if err := script("bin/ctl", "stop")(nil); err != nil {
					return err
				}
				return script("bin/ctl", "start")(nil)
			},
			PostStart: func(context.Context) error { return script("bin/post-start")(nil) },
		}}}})
	t.Cleanup(director.Close)
	settings := map[string]string{}
	for _, setting := range devtest.ServeDirector(t, director) {
		name, value, _ := strings.Cut(setting, "=")
		settings[name] = value
	}
	uploaded, manifest, properties := withEverything(t, settings["MOORING_DIRECTOR"], readFile(t, settings["MOORING_DIRECTOR_CA"]), alerts.URL)
	instance := installed(t, v, uploaded, manifest, properties)

	g.Expect(os.WriteFile(v.path("store/.disk"), nil, 0o644)).To(Succeed())
	g.Expect(os.MkdirAll(v.path("data/nfs"), 0o755)).To(Succeed())
	v.must(t, "etcd", "bin/pre-start", nil)
	running := map[string]*process{"etcd": v.bpm(t, "etcd")}
	v.must(t, "etcd", "bin/post-start", nil)
	for _, job := range []string{"api", "scheduler", "orchestrator"} {
		running[job] = v.bpm(t, job)
	}
	g.Eventually(func() error { _, err := v.run(t, "api", "bin/dns/healthy", nil); return err }, 30*time.Second, 200*time.Millisecond).Should(Succeed())
	v.must(t, "volume-manager", "bin/pre-start", nil)
	for _, job := range []string{"volume-manager", "cell"} {
		v.must(t, job, "bin/ctl", nil, "start")
		t.Cleanup(func() { _, _ = v.run(t, job, "bin/ctl", nil, "stop") })
	}
	g.Eventually(func() (string, error) { return v.run(t, "moor-cli", "bin/moor", nil, "cells") }, 30*time.Second, 200*time.Millisecond).
		Should(And(ContainSubstring(instance.ID), ContainSubstring("redis")))
	g.Expect(v.must(t, "moor-cli", "bin/moor", nil, "cells", "--json")).To(MatchRegexp(`"deployment": ?"mooring"`), "the gate has to know whose cell it is")
	for job, process := range running {
		g.Expect(process.running()).To(BeTrue(), job)
	}

	said := v.must(t, "roll-cells", "bin/run", nil)
	g.Expect(said).To(MatchRegexp(`plan kernel-\d{8}-\d{6} started: restart 1 cell`))
	g.Eventually(func() string { return v.must(t, "moor-cli", "bin/moor", nil, "rolls") }, 60*time.Second, 500*time.Millisecond).Should(MatchRegexp(`kernel-\d+-\d+ .*done`))
	// The roll is done a moment before BOSH is.
	g.Eventually(func() string { state, result := director.State(1); return state + result }, 30*time.Second, 50*time.Millisecond).Should(HavePrefix("done"))
	g.Expect(director.Tasks()).To(Equal(1))
}
