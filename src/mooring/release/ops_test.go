package release

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
)

// combinations of ops files that operators use together, in the order given.
var combinations = [][]string{
	{},
	{"scale-to-one-az", "use-stemcell"},
	{"scale-to-one-az", "set-cell-update-domains", "rename-deployment"},
	{"use-external-etcd", "scale-to-one-az"},
	{"scale-to-one-az", "use-external-etcd"},
	{"use-bosh-lite", "use-stemcell", "rename-deployment"},
	{"enable-director", "enable-roll-errand"},
	{"enable-roll-errand", "enable-director", "rename-deployment", "scale-to-one-az"},
	{"use-external-etcd", "use-bosh-lite"},
	{"enable-alertmanager", "enable-director", "enable-prom-scraper", "use-bosh-lite"},
	{"enable-shared-volumes", "scale-to-one-az"},
	{"enable-shared-volumes", "use-external-etcd", "enable-director"},
	{"use-compiled-releases", "scale-to-one-az", "set-cell-update-domains"},
	{"enable-uaa", "enable-director", "enable-prom-scraper", "use-external-etcd"},
	{"enable-alertmanager", "enable-director", "enable-roll-errand", "set-cell-update-domains", "use-stemcell"},
	{"use-external-etcd", "enable-director", "enable-roll-errand", "set-cell-update-domains", "use-stemcell", "rename-deployment", "scale-to-one-az"},
}

// sent is a manifest, as far as the tests look at it.
type sent struct {
	Releases []struct {
		Name, Version, URL, SHA1 string
		Stemcell                 *struct{ OS, Version string }
	}
	Stemcells      []struct{ Alias, OS, Version string }
	InstanceGroups []struct {
		Name           string
		PersistentDisk string `yaml:"persistent_disk_type"`
		Jobs           []struct {
			Name, Release string
			Properties    map[string]any
		}
	} `yaml:"instance_groups"`
	Variables []variable
}

// variable is one that BOSH generates.
type variable struct {
	Name    string
	Options struct{ CA string }
}

// everyUse gives the combinations and, after them, every ops file alone.
func everyUse(t *testing.T) [][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, "ops-files", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no ops files found: %v", err)
	}
	all := slices.Clone(combinations)
	for _, file := range files {
		NewWithT(t).Expect(readFile(t, file)).To(HavePrefix("# "), "%s begins with what it is for", file)
		all = append(all, []string{strings.TrimSuffix(filepath.Base(file), ".yml")})
	}
	return all
}

func TestEveryOpsFileAppliesAloneAndInCombination(t *testing.T) {
	for _, ops := range everyUse(t) {
		t.Run(strings.Join(append([]string{"mooring"}, ops...), "+"), func(t *testing.T) { checkDeployment(t, ops) })
	}
}

// checkDeployment deploys with --dry-run, as the Director does it, and checks what
// no Director minds: every property is one of its job, for others are dropped
// without a word; every variable is generated or announced by the ops file that
// needs it, and none is left over.
func checkDeployment(t *testing.T, ops []string) {
	g := NewWithT(t)
	document := mooring(t, nil, ops...)
	sameAsBOSH(t, ops, document)
	dryRun(t, ops)

	text, err := yaml.Marshal(document)
	g.Expect(err).NotTo(HaveOccurred())
	var d sent
	g.Expect(yaml.Unmarshal(text, &d)).To(Succeed())
	var asked string
	for _, name := range ops {
		comment, _, _ := strings.Cut(readFile(t, filepath.Join(top, "ops-files", name+".yml")), "\n- ")
		asked += comment
	}
	generated := map[string]bool{}
	for _, v := range d.Variables {
		generated[v.Name] = true
	}
	used := deployment.Variables(document)
	for _, name := range used {
		g.Expect(generated[name] || strings.Contains(asked, name)).To(BeTrue(), "((%s)) is neither generated nor announced in the comment of an ops file", name)
	}
	for _, v := range d.Variables {
		isAuthority := func(other variable) bool { return other.Options.CA == v.Name }
		g.Expect(slices.Contains(used, v.Name) || slices.ContainsFunc(d.Variables, isAuthority)).To(BeTrue(), "variable %s is generated for nobody", v.Name)
	}
	for _, release := range d.Releases {
		if release.Stemcell != nil {
			g.Expect(*release.Stemcell).To(Equal(struct{ OS, Version string }{d.Stemcells[0].OS, d.Stemcells[0].Version}), "what is compiled runs on the stemcell that it was compiled for")
		}
		g.Expect(release.Stemcell != nil).To(Equal(release.URL != "" && release.SHA1 != ""), "%s: what is compiled is brought along", release.Name)
	}
	checkSmokeTests(t, d)
	releaseJobs := jobs(t)
	for _, group := range d.InstanceGroups {
		for _, placed := range group.Jobs {
			if placed.Release != "mooring" {
				continue
			}
			checkProperties(t, releaseJobs[placed.Name], placed.Properties)
			if placed.Name == "roll-cells" && len(ops) > 1 {
				checkErrand(t, d, placed.Properties["plan"])
			}
			if placed.Name == "etcd" || placed.Name == "volume-manager" {
				g.Expect(group.PersistentDisk).NotTo(BeEmpty(), "%s keeps data", placed.Name)
			}
		}
	}
}

// dryRun is `bosh deploy --dry-run` with ops files, twice: with all variables that
// they announce given to bosh, and with those in the config server instead that
// bosh itself has no need of.
func dryRun(t *testing.T, ops []string) {
	t.Helper()
	announced := map[string]any{}
	for _, name := range deployment.Variables(mooring(t, nil, ops...)) {
		text, known := filledIn[name]
		if !known {
			continue
		}
		var value any
		NewWithT(t).Expect(yaml.Unmarshal([]byte(text), &value)).To(Succeed(), name)
		announced[name] = value
	}
	ways := []bool{false, true}[:min(len(announced), 1)+1]
	for _, kept := range ways {
		director, vars := newDirector(t), map[string]any{}
		for name, value := range announced {
			if name == "external_etcd_client" {
				value = certificateOfItsOwn(t, director)
			}
			if kept && name != "deployment_name" && !strings.HasPrefix(name, "mooring_release_") {
				deploymentName := mooring(t, announced, ops...)["name"].(string)
				director.Config.Set(director.Variable(deploymentName, name), value)
				continue
			}
			vars[name] = value
		}
		prepare(t, director, mooring(t, vars, ops...))
	}
}

// certificateOfItsOwn returns one that no variable of the manifest is.
func certificateOfItsOwn(t *testing.T, director *deployment.Director) any {
	t.Helper()
	NewWithT(t).Expect(director.Config.Generate("/etcd", "certificate", map[string]any{"self_sign": true, "common_name": "mooring"})).To(Succeed())
	return director.Config.Get("/etcd")
}

// checkSmokeTests checks that the smoke tests try floating volumes where cells
// offer them, and nowhere else.
func checkSmokeTests(t *testing.T, d sent) {
	t.Helper()
	var offered, tried []any
	for _, group := range d.InstanceGroups {
		for _, placed := range group.Jobs {
			switch placed.Name {
			case "volume-manager":
				classes, _ := placed.Properties["shared"].([]any)
				for _, class := range classes {
					offered = append(offered, class.(map[string]any)["name"])
				}
			case "smoke-tests":
				classes, _ := placed.Properties["classes"].(map[string]any)
				if floating := classes["floating"]; floating != nil {
					tried = append(tried, floating)
				}
			}
		}
	}
	NewWithT(t).Expect(tried).To(ConsistOf(offered...), "the smoke tests try what cells offer")
}

// checkErrand checks that what the errand starts is not refused: its group is
// there, and who carries it out knows a Director.
func checkErrand(t *testing.T, d sent, plan any) {
	t.Helper()
	g := NewWithT(t)
	text, err := yaml.Marshal(plan)
	g.Expect(err).NotTo(HaveOccurred())
	var spec struct {
		Via struct {
			Bosh struct {
				Group string `yaml:"instance_group"`
			}
		}
	}
	g.Expect(yaml.Unmarshal(text, &spec)).To(Succeed())
	var groups []string
	directors := 0
	for _, group := range d.InstanceGroups {
		groups = append(groups, group.Name)
		for _, placed := range group.Jobs {
			if (placed.Name == "api" || placed.Name == "orchestrator") && placed.Properties["director"] != nil {
				directors++
			}
		}
	}
	g.Expect(groups).To(ContainElement(spec.Via.Bosh.Group))
	g.Expect(directors).To(Equal(2), "the jobs api and orchestrator know the Director")
}

// checkProperties checks that what a manifest gives a job is what it declares. A
// variable in the place of a group of properties is none of them.
func checkProperties(t *testing.T, j *deployment.Job, given map[string]any) {
	t.Helper()
	var walk func(prefix string, value any)
	walk = func(prefix string, value any) {
		if _, declared := j.Properties[prefix]; declared {
			return
		}
		tree, isTree := value.(map[string]any)
		NewWithT(t).Expect(isTree).To(BeTrue(), "job %s has no property %s", j.Name, prefix)
		for key, child := range tree {
			walk(strings.TrimPrefix(prefix+"."+key, "."), child)
		}
	}
	walk("", given)
}

// sameAsBOSH compares with what the real bosh makes of the ops files.
func sameAsBOSH(t *testing.T, ops []string, document map[string]any) {
	t.Helper()
	bosh, err := exec.LookPath("bosh")
	if err != nil {
		t.Log("bosh is not on the PATH: the ops files were applied by the tests alone")
		return
	}
	args := []string{"interpolate", filepath.Join(top, "manifests", "mooring.yml")}
	for _, name := range ops {
		args = append(args, "--ops-file", filepath.Join(top, "ops-files", name+".yml"))
	}
	output, err := exec.Command(bosh, args...).Output()
	g := NewWithT(t)
	g.Expect(err).NotTo(HaveOccurred())
	var theirs any
	g.Expect(yaml.Unmarshal(output, &theirs)).To(Succeed())
	g.Expect(theirs).To(Equal(document))
}

func TestTheDocsNameEveryOpsFile(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(top, "ops-files", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no ops files found: %v", err)
	}
	page := readFile(t, filepath.Join(top, "docs", "bosh-deploy.md"))
	for _, file := range files {
		NewWithT(t).Expect(page).To(ContainSubstring("\n| `" + filepath.Base(file) + "` | "))
	}
}
