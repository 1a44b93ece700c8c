// Package notifytest has what alerts are sent to in tests: a real Alertmanager,
// and a web server that keeps what it took.
package notifytest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
)

// Alertmanager is a real one, as Debian packages it, which sends what it
// notifies of to a sink.
type Alertmanager struct {
	t    testing.TB
	args []string
	// URL is where it is told.
	URL  string
	sink *Sink
	cmd  *exec.Cmd
}

// NewAlertmanager prepares one and skips the test where it is not installed;
// Start starts it, and it ends with the test.
func NewAlertmanager(t testing.TB) *Alertmanager {
	t.Helper()
	g := NewWithT(t)
	program, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		t.Skip("prometheus-alertmanager is not installed; scripts/install-dependencies installs it")
	}
	a := &Alertmanager{t: t, sink: NewSink(t)}
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	g.Expect(os.WriteFile(config, []byte(fmt.Sprintf(`
route: {receiver: sink, group_by: [id], group_wait: 0s, group_interval: 200ms, repeat_interval: 24h}
receivers:
- name: sink
  webhook_configs: [{url: %q, send_resolved: true}]
`, a.sink.URL)), 0o600)).To(Succeed())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	address := listener.Addr().String()
	listener.Close()
	a.URL = "http://" + address
	a.args = []string{program, "--config.file=" + config, "--storage.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + address,
		"--cluster.listen-address=", "--log.level=error"}
	t.Cleanup(a.kill)
	return a
}

// Start starts it, again after Stop, and returns when it is ready.
func (a *Alertmanager) Start() {
	a.t.Helper()
	a.cmd = exec.Command(a.args[0], a.args[1:]...)
	a.cmd.Stdout, a.cmd.Stderr = os.Stderr, os.Stderr
	g := NewWithT(a.t)
	g.Expect(a.cmd.Start()).To(Succeed())
	g.Eventually(func() error {
		response, err := http.Get(a.URL + "/-/ready")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("it answers %s", response.Status)
		}
		return nil
	}, "30s").Should(Succeed())
}

// Stop ends it in order: it keeps whom it notified of what.
func (a *Alertmanager) Stop() {
	a.t.Helper()
	g := NewWithT(a.t)
	g.Expect(a.cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
	g.Expect(a.cmd.Wait()).To(Succeed())
	a.cmd = nil
}

// kill ends it when the test is over.
func (a *Alertmanager) kill() {
	if a.cmd != nil {
		_ = a.cmd.Process.Kill()
		_ = a.cmd.Wait()
	}
}

// Active lists the ids of the alerts that are firing.
func (a *Alertmanager) Active() []string {
	response, err := http.Get(a.URL + "/api/v2/alerts?active=true")
	if err != nil {
		return []string{err.Error()}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	var alerts []struct{ Labels map[string]string }
	if err != nil || json.Unmarshal(content, &alerts) != nil {
		return []string{string(content)}
	}
	ids := []string{}
	for _, alert := range alerts {
		ids = append(ids, alert.Labels["id"])
	}
	return ids
}

// Notified gives "firing a", "resolved a", ... as people were told.
func (a *Alertmanager) Notified() []string {
	var all []string
	for _, body := range a.sink.Taken() {
		var message struct {
			Alerts []struct {
				Status string
				Labels map[string]string
			}
		}
		if err := json.Unmarshal(body, &message); err != nil {
			return []string{err.Error()}
		}
		for _, alert := range message.Alerts {
			all = append(all, alert.Status+" "+alert.Labels["id"])
		}
	}
	return all
}
