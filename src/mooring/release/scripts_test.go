package release

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
	"mooring/manifest"
	"mooring/model"
	"mooring/notify"
)

// everything visits each job in both variants of the golden files.
func everything(t *testing.T, visit func(job, variant string, files map[string]string)) {
	t.Helper()
	jobs := renderEverything(t)
	for _, name := range sorted(jobs) {
		for variant, job := range jobs[name] {
			visit(name, variant, files(job))
		}
	}
}

func TestScriptsAreSound(t *testing.T) {
	var scripts, sourced []string
	dir := t.TempDir()
	everything(t, func(job, variant string, files map[string]string) {
		for path, text := range files {
			at := filepath.Join(dir, job, variant, path)
			switch {
			case isScript(path) && variant == "defaults":
				scripts = append(scripts, at)
			case strings.HasSuffix(path, ".env"):
				sourced = append(sourced, at)
			default:
				continue
			}
			if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
			NewWithT(t).Expect(strings.HasPrefix(text, "#!/usr/bin/env bash\n") || !isScript(path) || path == "bin/membership").To(BeTrue(), "%s: %s", job, path)
		}
	})
	for _, script := range append(scripts, sourced...) {
		output, err := exec.Command("bash", "-n", script).CombinedOutput()
		NewWithT(t).Expect(err).NotTo(HaveOccurred(), "%s", output)
	}
	for _, env := range sourced {
		output, err := exec.Command("bash", "-euc", `source "$1"; set -o posix; compgen -v | grep -c .`, "bash", env).CombinedOutput()
		NewWithT(t).Expect(err).NotTo(HaveOccurred(), "%s: %s", env, output)
	}
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("shellcheck is not installed, so the scripts were only parsed; see scripts/install-dependencies")
	}
	packages, err := filepath.Glob(filepath.Join(top, "packages", "*", "*packaging"))
	if err != nil || len(packages) == 0 {
		t.Fatalf("no packages found: %v", err)
	}
	output, err := exec.Command(shellcheck, append(scripts, packages...)...).CombinedOutput()
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), "%s", output)
}

func TestConfigurationsAreYAML(t *testing.T) {
	everything(t, func(job, _ string, files map[string]string) {
		for path, text := range files {
			if strings.HasSuffix(path, ".yml") {
				var into map[string]any
				NewWithT(t).Expect(yaml.UnmarshalWithOptions([]byte(text), &into, yaml.Strict())).To(Succeed(), "%s: %s", job, path)
				NewWithT(t).Expect(into).NotTo(BeNil(), "%s: %s", job, path)
			}
		}
	})
}

func TestMonitWatchesWhatTheJobRuns(t *testing.T) {
	for name, j := range jobs(t) {
		g := NewWithT(t)
		monit := readFile(t, filepath.Join(top, "jobs", name, "monit"))
		_, errand := j.Templates["run"]
		switch {
		case errand || name == "moor-cli":
			g.Expect(monit).To(BeEmpty(), name)
		case j.Templates["bpm.yml.erb"] != "":
			g.Expect(monit).To(ContainSubstring(`start program "/var/vcap/jobs/bpm/bin/bpm start `+name+`"`), name)
			g.Expect(monit).To(ContainSubstring("with pidfile /var/vcap/sys/run/bpm/"+name+"/"+name+".pid\n"), name)
		default:
			g.Expect(monit).To(ContainSubstring("/var/vcap/jobs/"+name+"/bin/ctl start"), name)
			g.Expect(readFile(t, filepath.Join(top, "jobs", name, "templates", "ctl"))).To(ContainSubstring("/var/vcap/sys/run/"+name+"\n"), name)
		}
		if monit != "" {
			g.Expect(monit).To(And(HavePrefix("check process "+name+"\n"), HaveSuffix("  group vcap\n")), name)
		}
	}
}

// The hard limit of a VM may be lower than any number written here: that of a
// container is, and BPM does not start a process that asks for more.
func TestBPM_AsksForNoLimitThatIsNotGiven(t *testing.T) {
	everything(t, func(job, variant string, files map[string]string) {
		var config struct {
			Processes []struct{ Limits map[string]int }
		}
		if text, found := files["config/bpm.yml"]; found {
			NewWithT(t).Expect(yaml.Unmarshal([]byte(text), &config)).To(Succeed(), job)
			for _, process := range config.Processes {
				if variant == "defaults" {
					NewWithT(t).Expect(process.Limits).To(BeEmpty(), job)
				}
			}
		}
	})
}

// monit's own parser reads what the jobs of one VM have for it, all together.
func TestMonitUnderstandsTheJobs(t *testing.T) {
	monit, err := exec.LookPath("monit")
	if err != nil {
		t.Skip("monit is not installed, so its files were only compared; see scripts/install-dependencies")
	}
	check := func(more string) (string, error) {
		var all strings.Builder
		everything(t, func(_, variant string, files map[string]string) {
			if variant == "defaults" {
				all.WriteString(files["monit"])
			}
		})
		dir := t.TempDir()
		control := filepath.Join(dir, "monitrc")
		state := "set idfile " + filepath.Join(dir, "id") + "\nset statefile " + filepath.Join(dir, "state") + "\n"
		NewWithT(t).Expect(os.WriteFile(control, []byte(state+all.String()+more), 0o600)).To(Succeed())
		output, err := exec.Command(monit, "-t", "-c", control).CombinedOutput()
		return string(output), err
	}
	output, err := check("")
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), output)
	NewWithT(t).Expect(output).To(ContainSubstring("Control file syntax OK"))
	_, err = check("check process x with pidfile\n")
	NewWithT(t).Expect(err).To(HaveOccurred(), "monit is to tell right from wrong")
}

func TestWhatTheTemplatesNameIsThere(t *testing.T) {
	for name, j := range jobs(t) {
		g := NewWithT(t)
		files, err := os.ReadDir(filepath.Join(top, "jobs", name, "templates"))
		g.Expect(err).NotTo(HaveOccurred())
		var there []string
		for _, file := range files {
			there = append(there, file.Name())
		}
		g.Expect(there).To(ConsistOf(sorted(j.Templates)), name)
		for _, used := range j.Packages {
			g.Expect(filepath.Join(top, "packages", used, "spec")).To(BeAnExistingFile(), name)
		}
	}
}

func TestAlertsAreUnderstood(t *testing.T) {
	g := NewWithT(t)
	jobs := renderEverything(t)
	dir := t.TempDir()
	for variant, job := range jobs["orchestrator"] {
		for _, name := range []string{"alerts.yml", "webhook_secret"} {
			text := strings.ReplaceAll(job.Files["config/"+name], "/var/vcap/jobs/orchestrator/config", dir)
			g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)).To(Succeed())
		}
		config, err := notify.Load(filepath.Join(dir, "alerts.yml"), slog.New(slog.DiscardHandler))
		g.Expect(err).NotTo(HaveOccurred(), variant)
		g.Expect(config.Receivers).To(HaveLen(map[string]int{"defaults": 0, "everything": 2}[variant]))
	}
}

func TestPlansAreSound(t *testing.T) {
	plans, err := filepath.Glob(filepath.Join(top, "manifests", "plans", "*.yml"))
	if err != nil || len(plans) == 0 {
		t.Fatalf("no plans found: %v", err)
	}
	for _, path := range plans {
		text := readFile(t, path)
		_, err := manifest.ParsePlan(path, []byte(text))
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(text).To(HavePrefix("# "))
	}
	everything(t, func(job, _ string, files map[string]string) {
		if plan, found := files["config/plan.yml"]; found {
			_, err := manifest.ParsePlan(job, []byte(plan))
			NewWithT(t).Expect(err).NotTo(HaveOccurred())
		}
	})
}

// The errand's plan, in the spec's example and in the ops file, is one of the
// deployment that the errand is in, whatever its name.
func TestTheErrandsPlansAreSound(t *testing.T) {
	ops, err := deployment.ReadOps(filepath.Join(top, "ops-files", "enable-roll-errand.yml"))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	shipped := ops[0].Value.(map[string]any)["properties"].(map[string]any)["plan"]
	for _, plan := range []any{jobs(t)["roll-cells"].Properties["plan"].Example, shipped} {
		second := mooring(t, map[string]any{"deployment_name": "second"}, "enable-roll-errand", "rename-deployment")
		give(t, second, "roll-cells", map[string]any{"plan": plan})
		_, job := on(t, prepare(t, newDirector(t), second), "roll-cells")
		parsed, err := manifest.ParsePlan("errand", []byte(job.Files["config/plan.yml"]))
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(parsed.Via.Bosh).To(Equal(&model.BoshVia{Deployment: "second", InstanceGroup: "cell"}))
	}
}
