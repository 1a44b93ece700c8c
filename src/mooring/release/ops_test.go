package release

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"
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

// deployment is a manifest, as far as the tests look at it.
type deployment struct {
	Name     string
	Releases []struct {
		Name, Version, URL, SHA1 string
		Stemcell                 *struct{ OS, Version string }
	}
	Stemcells      []struct{ Alias, OS, Version string }
	InstanceGroups []struct {
		Name, Lifecycle, Stemcell, VMType string
		PersistentDisk                    string `yaml:"persistent_disk_type"`
		Instances                         int
		AZs                               []string
		Jobs                              []struct {
			Name, Release string
			Properties    map[string]any
			Consumes      map[string]map[string]any
			Provides      map[string]map[string]string
		}
	} `yaml:"instance_groups"`
	Variables []struct {
		Name     string
		Options  struct{ CA string }
		Consumes map[string]struct{ From string }
	}
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

// checkDeployment checks that a deployment is whole: every property is one of
// its job, every required one is given, every link has its one provider, every
// variable is generated or announced by the ops file that needs it, and none is
// left over.
func checkDeployment(t *testing.T, ops []string) {
	g := NewWithT(t)
	var document any
	readYAML(t, filepath.Join(top, "manifests", "mooring.yml"), &document)
	var asked string
	for _, name := range ops {
		path := filepath.Join(top, "ops-files", name+".yml")
		var operations []operation
		readYAML(t, path, &operations)
		comment, _, _ := strings.Cut(readFile(t, path), "\n- ")
		asked += comment
		for _, o := range operations {
			var err error
			document, err = o.apply(document)
			g.Expect(err).NotTo(HaveOccurred(), name)
		}
	}
	text, err := yaml.Marshal(document)
	g.Expect(err).NotTo(HaveOccurred())
	sameAsBOSH(t, ops, document)

	// What operators fill in is text or a number in the end.
	for _, number := range []string{"((external_etcd_hosts))"} {
		text = []byte(strings.ReplaceAll(string(text), number, "[{address: etcd.example.com}]"))
	}
	var d deployment
	g.Expect(yaml.Unmarshal(text, &d)).To(Succeed())

	generated := map[string]bool{}
	for _, v := range d.Variables {
		generated[v.Name] = true
	}
	used := variables(document)
	for _, name := range used {
		g.Expect(generated[name] || strings.Contains(asked, name)).To(BeTrue(), "((%s)) is neither generated nor announced in the comment of an ops file", name)
		if !generated[name] {
			g.Expect(filledIn).To(HaveKey(name), "the tests with the real bosh fill it in")
		}
	}
	checkSmokeTests(t, d)
	addresses := map[string]bool{}
	providers := map[string]int{}
	releaseJobs := jobs(t)
	for _, group := range d.InstanceGroups {
		for _, j := range group.Jobs {
			for alias := range j.Provides {
				addresses[alias] = true
			}
			for _, p := range releaseJobs[j.Name].Provides {
				providers[p.Type]++
			}
		}
	}
	for _, v := range d.Variables {
		g.Expect(slices.Contains(used, v.Name) || isAuthority(d, v.Name)).To(BeTrue(), "variable %s is generated for nobody", v.Name)
		g.Expect(v.Options.CA == "" || generated[v.Options.CA]).To(BeTrue(), "variable %s is signed by %s, which is not there", v.Name, v.Options.CA)
		for _, consumed := range v.Consumes {
			g.Expect(addresses).To(HaveKey(consumed.From), "variable %s is for an address that nobody provides", v.Name)
		}
	}
	for _, release := range d.Releases {
		if release.Stemcell != nil {
			g.Expect(*release.Stemcell).To(Equal(struct{ OS, Version string }{d.Stemcells[0].OS, d.Stemcells[0].Version}), "what is compiled runs on the stemcell that it was compiled for")
		}
		g.Expect(release.Stemcell != nil).To(Equal(release.URL != "" && release.SHA1 != ""), "%s: what is compiled is brought along", release.Name)
	}
	for _, group := range d.InstanceGroups {
		g.Expect(group.AZs).NotTo(BeEmpty())
		g.Expect(group.Stemcell).To(Equal(d.Stemcells[0].Alias))
		for _, placed := range group.Jobs {
			if placed.Release != "mooring" {
				continue
			}
			j, found := releaseJobs[placed.Name]
			g.Expect(found).To(BeTrue(), "the release has no job %s", placed.Name)
			checkProperties(t, j, placed.Properties)
			if j.Name == "roll-cells" && len(ops) > 1 {
				checkErrand(t, d, placed.Properties["plan"])
			}
			for _, wanted := range j.Consumes {
				if placed.Consumes[wanted.Name] != nil {
					continue // given by hand
				}
				g.Expect(providers[wanted.Type]).To(Equal(1), "job %s in %s consumes %s", j.Name, group.Name, wanted.Type)
			}
			if j.Name == "etcd" || j.Name == "volume-manager" {
				g.Expect(group.PersistentDisk).NotTo(BeEmpty(), "%s keeps data", j.Name)
			}
		}
	}
}

// checkSmokeTests checks that the smoke tests try floating volumes where cells
// offer them, and nowhere else.
func checkSmokeTests(t *testing.T, d deployment) {
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
func checkErrand(t *testing.T, d deployment, plan any) {
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

func isAuthority(d deployment, name string) bool {
	return slices.ContainsFunc(d.Variables, func(v struct {
		Name     string
		Options  struct{ CA string }
		Consumes map[string]struct{ From string }
	}) bool {
		return v.Options.CA == name
	})
}

// checkProperties checks what a manifest gives a job. A variable in the place
// of a group, such as tls: ((api_server)), gives all of the group.
func checkProperties(t *testing.T, j job, given map[string]any) {
	t.Helper()
	g := NewWithT(t)
	names := sorted(j.Properties)
	var walk func(prefix string, value any)
	gives := map[string]bool{}
	walk = func(prefix string, value any) {
		if _, declared := j.Properties[prefix]; declared {
			gives[prefix] = true
			return
		}
		if text, isText := value.(string); isText && variable.MatchString(text) {
			found := false
			for _, name := range names {
				if strings.HasPrefix(name, prefix+".") {
					gives[name], found = true, true
				}
			}
			g.Expect(found).To(BeTrue(), "job %s has no properties %s", j.Name, prefix)
			return
		}
		tree, isTree := value.(map[string]any)
		g.Expect(isTree).To(BeTrue(), "job %s has no property %s", j.Name, prefix)
		for key, child := range tree {
			walk(strings.TrimPrefix(prefix+"."+key, "."), child)
		}
	}
	walk("", given)
	if given == nil {
		clear(gives)
	}
	optional := map[string]bool{}
	for _, text := range j.sources(t) {
		for _, use := range anyUse.FindAllStringSubmatch(text, -1) {
			if strings.HasPrefix(use[0], "if_p") {
				for _, name := range quoted.FindAllStringSubmatch(use[1], -1) {
					optional[name[1]] = true
				}
			}
		}
	}
	for _, name := range names {
		if j.Properties[name].Default == nil && !optional[name] {
			g.Expect(gives).To(HaveKey(name), "job %s needs it", j.Name)
		}
	}
}

// sameAsBOSH compares with what the real bosh makes of the ops files.
func sameAsBOSH(t *testing.T, ops []string, document any) {
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

func TestOperationsOnWhatIsNotThere(t *testing.T) {
	document := map[string]any{"list": []any{map[string]any{"name": "a"}}, "tree": map[string]any{}}
	for path, says := range map[string]string{
		"/list/name=b/x":  "0 elements have name=b",
		"/tree/x":         `there is no "x"`,
		"/tree/x/y?":      `there is no "x"`,
		"/list/7":         `"7" is no element of the list`,
		"/list/name=a/-":  `there is no "-"`,
		"/list/-/further": "- is for a new last element",
	} {
		_, err := operation{Type: "replace", Path: path, Value: 1}.apply(document)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(says)), path)
	}
	made, err := operation{Type: "replace", Path: "/tree/x?/name=n/y", Value: 1}.apply(document)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(made.(map[string]any)["tree"]).To(Equal(map[string]any{"x": []any{map[string]any{"name": "n", "y": 1}}}))
}
