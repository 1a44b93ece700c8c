package release

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
)

// updateEnv names the variable that makes the tests write golden files instead
// of comparing with them.
const updateEnv = "MOORING_UPDATE_GOLDEN"

// golden compares a text with a file under the release's top.
func golden(t *testing.T, path, text string) {
	t.Helper()
	path = filepath.Join(top, path)
	if os.Getenv(updateEnv) != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	NewWithT(t).Expect(text).To(Equal(readFile(t, path)), "%s is not what it was; if that is right, run the tests with %s=1", path, updateEnv)
}

var givenDirector = map[string]any{"url": "https://10.0.0.6:25555", "ca": "-----BEGIN CERTIFICATE-----", "client": "mooring", "secret": "s3cret"}

// renderings are what golden files are kept of: each job as the manifest has
// it, and once with every property that may be left out.
var renderings = map[string]map[string]any{
	"etcd": {"port": 12379, "peer_port": 12380, "metrics_port": 12381, "quota_bytes": 8589934592, "compaction_retention": "1h",
		"heartbeat_ms": 200, "election_ms": 2000, "log_level": "warn", "open_files": 65536},
	"api": {"port": 17770, "open_files": 65536, "lease_ttl": "30s", "director": givenDirector,
		"connections": map[string]any{"max": 57344, "per_address": 100000, "per_identity": 2000, "per_cell": 128, "idle_timeout": "5m", "body_timeout": "1m"},
		"access": map[string]any{
			"certificates": []any{map[string]any{"unit": "cells", "roles": []string{"cell:{name}"}}},
			"tokens":       []any{map[string]any{"name": "ci", "sha256": strings.Repeat("ab", 32), "roles": []string{"developer:acme/prod"}, "expires": "2030-01-01T00:00:00Z"}},
			"anyone":       []string{"scraper"},
		},
		"uaa": map[string]any{"url": "https://uaa.example.com/oauth/token", "ca": "-----BEGIN CERTIFICATE-----", "audience": "rolls", "groups": []any{map[string]any{"group": "rolls.admin", "roles": []string{"operator"}}}},
	},
	"scheduler": {"update_domains": map[string]any{"count": 7}},
	"orchestrator": {
		"alerts": map[string]any{
			"board": "https://mooring.example.com:7770", "webhook_secret": "s3cret",
			"receivers": []any{
				map[string]any{"name": "ops", "alertmanager": map[string]any{"urls": []string{"http://10.0.0.9:9093"}}},
				map[string]any{"name": "pager", "webhook": map[string]any{"url": "https://pager.example.com", "secret_file": "/var/vcap/jobs/orchestrator/config/webhook_secret"}}},
			"routes": []any{map[string]any{"receivers": []string{"ops"}}, map[string]any{"match": map[string]any{"severity": []string{"critical"}}, "receivers": []string{"pager"}}},
		},
		"director": givenDirector,
		"events":   map[string]any{"keep": 500000, "keep_for": "2160h"}, "default_via": `act "$MOORING_ACTION" on: {the 'host'}`,
	},
	"cell": {"pool": "redis", "memory": "48G", "ports": "20000-29999", "path": []string{"/var/vcap/packages/redis/bin", "/opt/bin"},
		"update_domains": map[string]any{"count": 5, "azs": 3}},
	"volume-manager": {"persistent": map[string]any{"capacity": "500G"}, "ephemeral": map[string]any{"capacity": "100G"},
		"shared": []any{map[string]any{"name": "shared", "root": "/var/vcap/data/nfs", "capacity": "2T"}}},
	"moor-cli":    nil,
	"smoke-tests": {"classes": map[string]any{"fixed": "ephemeral", "floating": "shared"}, "instances": 3, "timeout": 900},
	"roll-cells": {"plan": map[string]any{"name": "kernel", "cells": map[string]any{"az": []string{"z1"}}, "action": "reboot", "window": "Sat 02:00-06:00 Europe/London"},
		"reason": "CVE: it's urgent", "wait": true},
}

// variants are the names of the two, as directories.
var variants = []string{"defaults", "everything"}

// rendered is each job in each of its variants, rendered once for all tests that
// read it, on the Director that has made its certificates.
var rendered struct {
	once     sync.Once
	director *deployment.Director
	jobs     map[string]map[string]*deployment.RenderedJob
}

// renderEverything returns the jobs of the release by name, then by variant.
func renderEverything(t *testing.T) map[string]map[string]*deployment.RenderedJob {
	t.Helper()
	rendered.once.Do(func() {
		rendered.director = newDirector(t)
		defaults := mooring(t, nil, "enable-roll-errand")
		full := mooring(t, nil, "enable-roll-errand", "enable-prom-scraper")
		for name, properties := range renderings {
			give(t, full, name, properties)
		}
		all := make(map[string]map[string]*deployment.RenderedJob)
		for name := range jobs(t) {
			all[name] = make(map[string]*deployment.RenderedJob)
		}
		for i, manifest := range []map[string]any{defaults, full} {
			rendered.director.NewID = newDirector(t).NewID
			prepared := prepare(t, rendered.director, manifest)
			for name := range all {
				_, all[name][variants[i]] = on(t, prepared, name)
			}
			for _, cell := range prepared.Group("cell").Instances {
				if cell.Index == 4 { // not the first of its AZ
					all["cell"][variants[i]], all["volume-manager"][variants[i]] = cell.Job("cell"), cell.Job("volume-manager")
				}
			}
		}
		rendered.jobs = all
	})
	if rendered.jobs == nil {
		t.Skip("the templates could not be rendered; the first test that needs them says why")
	}
	return rendered.jobs
}

// secrets returns the names under which certificates stand in golden files.
func secrets(t *testing.T) map[string]string {
	t.Helper()
	names := make(map[string]string)
	for _, variable := range mooring(t, nil, "enable-prom-scraper")["variables"].([]any) {
		name := variable.(map[string]any)["name"].(string)
		value := rendered.director.Config.Get(rendered.director.Variable("mooring", name)).(map[string]any)
		if value["ca"] == value["certificate"] {
			names[value["certificate"].(string)] = "((" + name + "))"
			continue
		}
		names[value["certificate"].(string)] = "((" + name + ".certificate))"
		names[value["private_key"].(string)] = "((" + name + ".private_key))"
	}
	return names
}

func TestWhatTheTemplatesRender(t *testing.T) {
	all, names := renderEverything(t), secrets(t)
	NewWithT(t).Expect(sorted(renderings)).To(Equal(sorted(all)), "each job has its golden files")
	for name, job := range jobs(t) {
		templates := sources(job)
		for variant, rendered := range all[name] {
			if variant == "everything" && renderings[name] == nil {
				continue
			}
			for path, text := range files(rendered) {
				if !strings.Contains(templates[path], "<%") {
					NewWithT(t).Expect(text).To(Equal(templates[path]))
					continue
				}
				for pem, name := range names {
					text = strings.ReplaceAll(text, pem, name)
				}
				golden(t, filepath.Join("spec", "golden", name, variant, path), text)
			}
		}
	}
}
