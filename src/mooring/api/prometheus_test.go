package api

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// root is the repository's.
const root = "../../.."

// realPrometheus is one as Debian packages it, which scrapes an API and has the
// recording rules.
type realPrometheus string

func startPrometheus(t *testing.T, target string) realPrometheus {
	t.Helper()
	g := NewWithT(t)
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus is not installed; scripts/install-dependencies installs it")
	}
	rules, err := filepath.Abs(filepath.Join(root, "config", "prometheus", "recording.yml"))
	g.Expect(err).NotTo(HaveOccurred())
	api, err := url.Parse(target)
	g.Expect(err).NotTo(HaveOccurred())
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	g.Expect(os.WriteFile(config, []byte(fmt.Sprintf(`
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}
rule_files: [%q]
scrape_configs:
- job_name: mooring
  static_configs: [{targets: [%q]}]
`, rules, api.Host)), 0o600)).To(Succeed())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	address := listener.Addr().String()
	listener.Close()
	command := exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=error")
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	g.Expect(command.Start()).To(Succeed())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	return realPrometheus("http://" + address)
}

// series counts what an expression gives now.
func (p realPrometheus) series(expression string) (int, error) {
	response, err := http.Get(string(p) + "/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer struct {
		Error string
		Data  struct{ Result []any }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if answer.Error != "" {
		return 0, fmt.Errorf("%s: %s", expression, answer.Error)
	}
	return len(answer.Data.Result), nil
}
