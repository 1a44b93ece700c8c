package notify

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestAFileSaysWhoHearsOfWhat(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	g.Expect(os.WriteFile(secret, []byte("s3cret\n"), 0o600)).To(Succeed())
	path := filepath.Join(dir, "alerts.yml")
	g.Expect(os.WriteFile(path, []byte(`
board: https://moor.example.com/
receivers:
- name: ops
  alertmanager: {urls: ["http://am-1:9093", "https://am-2:9093/"], resend: 30s}
- name: acme
  webhook: {url: "https://acme.example.com/hook", secret_file: `+secret+`}
- name: log
  log: {}
routes:
- receivers: [ops, log]
- match: {org: acme, severity: [critical, warning]}
  receivers: [acme]
`), 0o600)).To(Succeed())

	cfg, err := Load(path, slog.New(slog.DiscardHandler))

	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cfg.Receivers).To(HaveLen(3))
	am := cfg.Receivers["ops"].(*alertmanager)
	g.Expect(am.urls).To(Equal([]string{"http://am-1:9093", "https://am-2:9093/"}))
	g.Expect(am.Renew()).To(Equal(30 * time.Second))
	g.Expect(am.board).To(BeEquivalentTo("https://moor.example.com"))
	g.Expect(cfg.Receivers["acme"].(*webhook).secret).To(BeEquivalentTo("s3cret"), "without the end of its line")
	g.Expect(cfg.Routes.To("acme", &model.Stuck{Kind: model.HandlerHung, App: &model.Name{Org: "acme"}})).To(BeTrue())
	g.Expect(cfg.Routes.To("acme", &model.Stuck{Kind: model.PolicyForbids, App: &model.Name{Org: "acme"}})).To(BeFalse())
}

func TestAFileThatMakesNoSense(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	NewWithT(t).Expect(os.WriteFile(empty, []byte("\n"), 0o600)).To(Succeed())
	for text, complaint := range map[string]string{
		"recipients: []": "unknown field",
		"receivers: [{name: A B, log: {}}]\nroutes: [{receivers: [A B]}]":                                              "is not a name",
		"receivers: [{name: a}]\nroutes: [{receivers: [a]}]":                                                           "exactly one of alertmanager, webhook and log",
		"receivers: [{name: a, log: {}, webhook: {url: 'http://x'}}]\nroutes: [{receivers: [a]}]":                      "exactly one of alertmanager, webhook and log",
		"receivers: [{name: a, log: {}}]":                                                                              "no route leads to it",
		"receivers: [{name: a, log: {}}, {name: a, log: {}}]\nroutes: [{receivers: [a]}]":                              "the name is there twice",
		"receivers: [{name: a, alertmanager: {urls: []}}]\nroutes: [{receivers: [a]}]":                                 "urls is empty",
		"receivers: [{name: a, alertmanager: {urls: ['am:9093']}}]\nroutes: [{receivers: [a]}]":                        `"am:9093" is no address`,
		"receivers: [{name: a, webhook: {url: ''}}]\nroutes: [{receivers: [a]}]":                                       `"" is no address`,
		"receivers: [{name: a, webhook: {url: 'http://x', secret_file: /nowhere/at/all}}]\nroutes: [{receivers: [a]}]": "secret_file",
		"receivers: [{name: a, webhook: {url: 'http://x', secret_file: " + empty + "}}]\nroutes: [{receivers: [a]}]":   "is empty",
		"routes: [{receivers: [b]}]": `there is no receiver "b"`,
		"routes: [{receivers: []}]":  "receivers is empty",
		"receivers: [{name: a, log: {}}]\nroutes: [{match: {severity: [urgent]}, receivers: [a]}]": `"urgent" is none; use critical, warning or info`,
		"receivers: [{name: a, log: {}}]\nroutes: [{match: {kind: [tired]}, receivers: [a]}]":      `"tired" is none; use handler-hung`,
		"receivers: [{name: a, log: {}}]\nroutes: [{match: {colour: red}, receivers: [a]}]":        "unknown field",
	} {
		_, err := parse([]byte(text), nil)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(complaint)), text)
	}
}

func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	_, err := parse([]byte("receivers: [{name: a}, {name: b}]\nroutes: [{receivers: [a, b, c]}]"), nil)
	NewWithT(t).Expect(err).To(MatchError(And(
		ContainSubstring(`receivers[0] "a"`), ContainSubstring(`receivers[1] "b"`), ContainSubstring(`no receiver "c"`))))
}

func TestRoutes(t *testing.T) {
	redis := &model.Stuck{Kind: model.HandlerHung, App: &model.Name{Org: "acme", Space: "prod", Name: "redis"}}
	gone := &model.Stuck{Kind: model.CellGone, CellID: "c1"}
	for name, c := range map[string]struct {
		match Match
		stuck *model.Stuck
		takes bool
	}{
		"everything":                   {Match{}, redis, true},
		"everything, without an app":   {Match{}, gone, true},
		"the org":                      {Match{Org: "acme"}, redis, true},
		"another org":                  {Match{Org: "other"}, redis, false},
		"no app is in no org":          {Match{Org: "acme"}, gone, false},
		"the space":                    {Match{Org: "acme", Space: "prod"}, redis, true},
		"another space":                {Match{Org: "acme", Space: "dev"}, redis, false},
		"the app":                      {Match{App: "redis"}, redis, true},
		"another app":                  {Match{App: "queue"}, redis, false},
		"a severity":                   {Match{Severity: []model.Severity{model.Critical, model.Warning}}, redis, true},
		"another severity":             {Match{Severity: []model.Severity{model.Critical}}, redis, false},
		"a kind":                       {Match{Kind: []model.StuckKind{model.CellGone}}, gone, true},
		"another kind":                 {Match{Kind: []model.StuckKind{model.CellGone}}, redis, false},
		"the org but another severity": {Match{Org: "acme", Severity: []model.Severity{model.Info}}, redis, false},
	} {
		NewWithT(t).Expect(c.match.Takes(c.stuck)).To(Equal(c.takes), name)
	}
	routes := Routes{{Match: Match{Org: "other"}, Receivers: []string{"a"}}, {Receivers: []string{"a", "b"}}}
	g := NewWithT(t)
	g.Expect(routes.To("a", redis)).To(BeTrue(), "any route will do")
	g.Expect(routes.To("c", redis)).To(BeFalse())
}

func TestTheExampleInTheDocsIsTaken(t *testing.T) {
	g := NewWithT(t)
	page, err := os.ReadFile(filepath.Join(root, "docs", "alerts.md"))
	g.Expect(err).NotTo(HaveOccurred())
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	g.Expect(found).To(BeTrue())
	secret := filepath.Join(t.TempDir(), "secret")
	g.Expect(os.WriteFile(secret, []byte("s3cret"), 0o600)).To(Succeed())

	cfg, err := parse([]byte(strings.ReplaceAll(example, "/etc/mooring/acme.secret", secret)), nil)

	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cfg.Receivers).To(HaveLen(3))
}
