package release

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
)

// onLoopback returns the release as use-bosh-lite.yml has it, with the errand
// roll-cells beside all the rest, for a VM at 127.0.0.1 with free ports. The
// properties are what such jobs are given.
func onLoopback(t *testing.T) (director *deployment.Director, manifest map[string]any, properties map[string]map[string]any) {
	t.Helper()
	director, manifest = newDirector(t), mooring(t, nil, "enable-prom-scraper", "use-bosh-lite")
	onIPs(t, director, manifest, deployment.Subnet{Range: "127.0.0.0/30", Gateway: "127.0.0.2"}, "127.0.0.1")
	control := element(t, manifest, "instance_groups", "control")
	control["jobs"] = append(control["jobs"].([]any), map[string]any{"name": "roll-cells", "release": "mooring", "properties": map[string]any{
		"tls": leaves("api_operator"), "plan": map[string]any{"name": "stemcell", "cells": "all", "action": "recreate"},
	}})
	return director, manifest, map[string]map[string]any{
		"etcd":        {"port": freePort(t), "peer_port": freePort(t), "metrics_port": freePort(t)},
		"api":         {"port": freePort(t)},
		"cell":        {"memory": "1G", "ports": "31000-31099", "path": []string{"/opt/tools/bin"}},
		"smoke-tests": {"timeout": 60, "classes": map[string]any{"floating": "shared"}},
	}
}

// installed puts a manifest's one instance on a VM, with properties by job.
func installed(t *testing.T, v *vm, director *deployment.Director, manifest map[string]any, properties map[string]map[string]any) *deployment.Instance {
	t.Helper()
	for job, given := range properties {
		give(t, manifest, job, given)
	}
	instance, _ := on(t, prepare(t, director, manifest), "cell")
	v.rewrites[apiName] = "127.0.0.1"
	v.install(t, instance)
	return instance
}

// What the jobs of one VM would run is run: with etcd, TLS everywhere, and the
// errand that pushes an app, interrupts it and removes all traces.
func TestTheJobsRunTogether(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	v := newVM(t)
	director, manifest, properties := onLoopback(t)
	shared := v.path("data/nfs")
	properties["volume-manager"] = map[string]any{"shared": []any{map[string]any{"name": "shared", "root": "/var/vcap/data/nfs", "capacity": "1G"}}}
	instance := installed(t, v, director, manifest, properties)

	_, err := v.run(t, "api", "bin/dns/healthy", nil)
	g.Expect(err).To(HaveOccurred(), "an API that does not run is not healthy")

	v.must(t, "etcd", "bin/pre-start", nil)
	v.bpm(t, "etcd")
	v.must(t, "etcd", "bin/post-start", nil)
	g.Eventually(func() error { _, err := v.run(t, "etcd", "bin/dns/healthy", nil); return err }, 30*time.Second, 200*time.Millisecond).Should(Succeed())
	v.must(t, "etcd", "bin/etcdctl", nil, "snapshot", "save", v.path("data/backup.db"))
	v.bpm(t, "api")
	v.bpm(t, "scheduler")
	v.bpm(t, "orchestrator")
	g.Eventually(func() error { _, err := v.run(t, "api", "bin/dns/healthy", nil); return err }, 30*time.Second, 200*time.Millisecond).Should(Succeed())

	output, err := v.run(t, "volume-manager", "bin/pre-start", nil)
	g.Expect(err).To(HaveOccurred())
	g.Expect(output).To(ContainSubstring("no persistent disk is mounted on"))
	g.Expect(os.WriteFile(v.path("store/.disk"), nil, 0o644)).To(Succeed())
	v.must(t, "volume-manager", "bin/pre-start", nil)

	_, err = v.run(t, "volume-manager", "bin/ctl", nil, "start")
	g.Expect(err).To(HaveOccurred())
	g.Expect(readFile(t, v.path("sys/log/volume-manager/volume-manager.stderr.log"))).To(ContainSubstring(shared + " is not there; mount it on every cell of the AZ first"))
	g.Expect(os.Mkdir(shared, 0o755)).To(Succeed())

	for _, job := range []string{"volume-manager", "cell"} {
		v.must(t, job, "bin/ctl", nil, "start")
		pid := pidOf(t, v, job)
		v.must(t, job, "bin/ctl", nil, "start")
		g.Expect(pidOf(t, v, job)).To(Equal(pid), "what runs is not started again")
		t.Cleanup(func() {
			if said, err := v.run(t, job, "bin/ctl", nil, "stop"); err != nil {
				t.Errorf("%s does not stop: %v\n%s", job, err, said)
			}
			if t.Failed() {
				t.Log(job, tail(readFile(t, v.path(fmt.Sprintf("sys/log/%s/%[1]s.stderr.log", job)))))
			}
		})
	}
	g.Eventually(func() (string, error) { return v.run(t, "moor-cli", "bin/moor", nil, "cells") }, 30*time.Second, 200*time.Millisecond).
		Should(And(ContainSubstring(instance.ID), ContainSubstring("z1")))
	cell := v.must(t, "moor-cli", "bin/moor", nil, "cells", "--json")
	boot, err := exec.Command(v.path("packages/mooring/bin/moor"), "boot-id").Output()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cell).To(ContainSubstring(fmt.Sprintf(`"boot": "%s"`, strings.TrimSpace(string(boot)))), "what root finds is told")
	for _, class := range []string{"persistent", "ephemeral", "shared"} {
		g.Expect(cell).To(ContainSubstring(`"name": "` + class + `"`))
	}

	checkIndicators(t, v, instance)

	_, err = v.run(t, "moor-cli", "bin/moor", []string{"MOORING_API=http://127.0.0.1:1"}, "cells")
	g.Expect(err).To(HaveOccurred(), "who says where the API is, is believed")

	g.Expect(v.must(t, "smoke-tests", "bin/run", nil)).To(HaveSuffix("\npassed\n"))
	g.Expect(v.must(t, "moor-cli", "bin/moor", nil, "--org", "mooring", "--space", "smoke-tests", "volume-sets", "--json")).To(HavePrefix("[]"))
	g.Expect(v.must(t, "moor-cli", "bin/moor", nil, "apps", "--json")).To(HavePrefix("[]"))

	checkTheControlNodeGoesLast(t, v)

	// BOSH restarts the cell: pre-stop, stop, start, post-start.
	v.must(t, "cell", "bin/pre-stop", []string{"BOSH_VM_NEXT_STATE=keep", "BOSH_INSTANCE_NEXT_STATE=keep", "BOSH_DEPLOYMENT_NEXT_STATE=keep"})
	pid := pidOf(t, v, "cell")
	v.must(t, "cell", "bin/ctl", nil, "stop")
	g.Expect(alive(pid)).To(BeFalse())
	g.Expect(v.path("sys/run/cell/cell.pid")).NotTo(BeAnExistingFile())
	v.must(t, "cell", "bin/ctl", nil, "stop")
	v.must(t, "cell", "bin/ctl", nil, "start")
	v.must(t, "cell", "bin/post-start", nil)
	g.Expect(v.must(t, "moor-cli", "bin/moor", nil, "rolls")).To(ContainSubstring("done"))

	g.Expect(v.must(t, "roll-cells", "bin/run", nil)).To(MatchRegexp(`plan stemcell-\d{8}-\d{6} started: recreate 1 cell`))
}

// checkTheControlNodeGoesLast checks when the node of a VM that has a cell goes.
func checkTheControlNodeGoesLast(t *testing.T, v *vm) {
	t.Helper()
	g := NewWithT(t)
	with := []string{"BOSH_VM_NEXT_STATE=delete", "BOSH_INSTANCE_NEXT_STATE=delete", "BOSH_DEPLOYMENT_NEXT_STATE=delete"}
	g.Expect(v.must(t, "api", "bin/pre-stop", with)).To(HaveSuffix("gate: open: no cell is left that needs the control plane\n"), "the cell on its own VM is not waited for")
	kept := []string{"BOSH_VM_NEXT_STATE=delete", "BOSH_INSTANCE_NEXT_STATE=keep", "BOSH_DEPLOYMENT_NEXT_STATE=keep"}
	g.Expect(v.must(t, "api", "bin/pre-stop", kept)).To(BeEmpty())

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waiting := v.script(ctx, "api", "bin/gate", "last", "--cell", "another")
	waiting.Env = append(waiting.Env, with...)
	said, err := waiting.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(waiting.Start()).To(Succeed())
	line, err := bufio.NewReader(said).ReadString('\n')
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(line).To(ContainSubstring("1 is left, "))
	v.must(t, "api", "bin/gate", nil, "open", "--reason", "it is a test")
	g.Expect(waiting.Wait()).To(Succeed())
}

// ofSomething are metrics that are not there while there is nothing to count: no
// app, no receiver of alerts.
var ofSomething = []string{"mooring_app_instances", "mooring_alert_receiver_failing"}

// checkIndicators checks that each indicator of each job is made of metrics that
// a prom_scraper gets where prom_scraper_config.yml sends it.
func checkIndicators(t *testing.T, v *vm, instance *deployment.Instance) {
	t.Helper()
	g := NewWithT(t)
	scraped := ""
	for _, job := range []string{"api", "etcd"} {
		var config struct {
			Port              int
			Scheme, Path      string
			SourceID          string `yaml:"source_id"`
			InstanceID        string `yaml:"instance_id"`
			ServerName        string `yaml:"server_name"`
			CA                string `yaml:"ca_path"`
			ClientCertificate string `yaml:"client_cert_path"`
			ClientKey         string `yaml:"client_key_path"`
		}
		readYAML(t, v.path(filepath.Join("jobs", job, "config", "prom_scraper_config.yml")), &config)
		g.Expect(config.SourceID).To(Equal("mooring-" + job))
		tool := []string{"--silent", "--fail"}
		if config.Scheme == "https" {
			tool = append(tool, "--cacert", config.CA, "--cert", config.ClientCertificate, "--key", config.ClientKey)
		}
		url := fmt.Sprintf("%s://127.0.0.1:%d/%s", cmp.Or(config.Scheme, "http"), config.Port, strings.TrimPrefix(cmp.Or(config.Path, "/metrics"), "/"))
		output, err := exec.Command("curl", append(tool, url)...).Output()
		g.Expect(err).NotTo(HaveOccurred(), job)
		scraped += string(output)
	}
	metric := regexp.MustCompile(`\b(?:mooring|etcd)_[a-z_]+\{`)
	for _, of := range instance.Jobs {
		job, text := of.Name, of.Files["config/indicators.yml"]
		if text == "" {
			continue
		}
		names := metric.FindAllString(text, -1)
		g.Expect(names).NotTo(BeEmpty(), job)
		for _, name := range names {
			if slices.Contains(ofSomething, strings.TrimSuffix(name, "{")) {
				continue
			}
			g.Expect(scraped).To(ContainSubstring("\n# TYPE "+strings.TrimSuffix(strings.TrimSuffix(name, "{"), "_bucket")+" "), job)
		}
	}
}

// alive reports whether a process runs; one that nobody has reaped does not.
func alive(pid string) bool {
	cmdline, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
	return err == nil && len(cmdline) > 0
}

func pidOf(t *testing.T, v *vm, job string) string {
	t.Helper()
	return strings.TrimSpace(readFile(t, v.path(fmt.Sprintf("sys/run/%s/%[1]s.pid", job))))
}

// The scripts around the gate hand over where the API is, and what BOSH says;
// what the gate says goes back to BOSH.
func TestTheGateIsAsked(t *testing.T) {
	g := NewWithT(t)
	v := newVM(t)
	director, manifest, properties := onLoopback(t)
	instance := installed(t, v, director, manifest, properties)
	g.Expect(os.Remove(v.path("packages"))).To(Succeed())
	g.Expect(os.MkdirAll(v.path("packages/mooring/bin"), 0o755)).To(Succeed())
	g.Expect(os.WriteFile(v.path("packages/mooring/bin/moor"),
		[]byte("#!/bin/sh\necho \"$BOSH_VM_NEXT_STATE $MOORING_API $MOORING_API_CERT $MOORING_CELL\" \"$@\"\nexit 7\n"), 0o755)).To(Succeed())

	connection := fmt.Sprintf("https://127.0.0.1:%d %s %s ", properties["api"]["port"], v.path("jobs/cell/config/tls/certificate.pem"), instance.ID)
	for script, does := range map[string]string{"bin/pre-stop": "leave", "bin/post-start": "return"} {
		output, err := v.run(t, "cell", script, []string{"BOSH_VM_NEXT_STATE=delete"})
		g.Expect(err).To(MatchError("exit status 7"))
		g.Expect(output).To(Equal("delete " + connection + "gate " + does + "\n"))
	}
	output, _ := v.run(t, "cell", "bin/gate", nil, "open", "--reason", "the API is gone")
	g.Expect(output).To(Equal(" " + connection + "gate open --reason the API is gone\n"))

	delete(v.rewrites, apiName)
	control := prepare(t, newDirector(t), mooring(t, nil)).Group("control").Instances
	v.install(t, control[0])
	output, err := v.run(t, "api", "bin/pre-stop", []string{"BOSH_VM_NEXT_STATE=delete"})
	g.Expect(err).To(MatchError("exit status 7"))
	var addresses []string
	for _, node := range control {
		addresses = append(addresses, "https://"+node.Address+":7770")
	}
	g.Expect(output).To(Equal(fmt.Sprintf("delete %s %s %s gate last\n", strings.Join(addresses, ","), v.path("jobs/api/config/tls/certificate.pem"), control[0].ID)))
}
