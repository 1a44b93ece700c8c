package notify

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"

	"mooring/model"
)

// root is the repository's.
const root = "../../.."

// promtool runs it in the folder of the rules.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is not installed; scripts/install-dependencies installs it")
	}
	command := exec.Command("promtool", args...)
	command.Dir = filepath.Join(root, "config", "prometheus")
	out, err := command.CombinedOutput()
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), "%s", out)
}

func TestPrometheusTakesTheRules(t *testing.T) {
	promtool(t, "check", "rules", "recording.yml", "alerts.yml")
}

func TestTheRulesDoWhatTheyAreFor(t *testing.T) { promtool(t, "test", "rules", "tests.yml") }

type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alertRules(t *testing.T) map[string]rule {
	t.Helper()
	g := NewWithT(t)
	content, err := os.ReadFile(filepath.Join(root, "config", "prometheus", "alerts.yml"))
	g.Expect(err).NotTo(HaveOccurred())
	var file struct{ Groups []struct{ Rules []rule } }
	g.Expect(yaml.Unmarshal(content, &file)).To(Succeed())
	rules := map[string]rule{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			rules[rule.Alert] = rule
		}
	}
	return rules
}

func TestEveryKindOfStuckHasItsAlertAndItsPage(t *testing.T) {
	g := NewWithT(t)
	rules := alertRules(t)
	for _, kind := range slices.Concat(model.StuckKinds, model.StateKinds) {
		rule, found := rules[AlertName(kind)]
		g.Expect(found).To(BeTrue(), AlertName(kind))
		if kind != model.StateStopped { // which has a figure of its own
			g.Expect(rule.Expr).To(ContainSubstring(`kind="`+string(kind)+`"`), AlertName(kind))
		}
		g.Expect(rule.Labels).To(HaveKeyWithValue("severity", string(kind.Severity())), AlertName(kind))
		g.Expect(rule.Annotations).To(HaveKeyWithValue("runbook_url", kind.Runbook()), AlertName(kind))
	}
}

func TestEveryAlertLeadsToAPageAndEveryPageToTheAnswers(t *testing.T) {
	g := NewWithT(t)
	linked := map[string]bool{}
	for name, rule := range alertRules(t) {
		page := rule.Annotations["runbook_url"]
		linked[filepath.Base(page)] = true
		content, err := os.ReadFile(filepath.Join(root, page))
		g.Expect(err).NotTo(HaveOccurred(), name)
		g.Expect(string(content)).To(And(HavePrefix("# "), ContainSubstring("\n## Look\n"), ContainSubstring("\n## Do\n")), page)
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "*.md"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, page := range pages {
		g.Expect(linked).To(HaveKey(filepath.Base(page)), "no alert leads to it")
	}
	for _, kind := range slices.Concat(model.StuckKinds, model.StateKinds) {
		content, err := os.ReadFile(filepath.Join(root, kind.Runbook()))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(strings.Contains(string(content), "`skip`")).To(BeTrue(), "%s says what the answers do", kind)
	}
}
