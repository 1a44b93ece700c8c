package alerting

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
)

// realAlertmanager is Alertmanager as Debian packages it, which sends what it
// notifies of to a sink.
type realAlertmanager struct {
	t    *testing.T
	args []string
	url  string
	sink *sink
	cmd  *exec.Cmd
}

func newRealAlertmanager(t *testing.T) *realAlertmanager {
	t.Helper()
	g := NewWithT(t)
	program, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		t.Skip("prometheus-alertmanager is not installed; scripts/install-dependencies installs it")
	}
	a := &realAlertmanager{t: t, sink: newSink(t)}
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
	a.url = "http://" + address
	a.args = []string{program, "--config.file=" + config, "--storage.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + address,
		"--cluster.listen-address=", "--log.level=error"}
	t.Cleanup(a.kill)
	return a
}

func (a *realAlertmanager) start() {
	a.t.Helper()
	a.cmd = exec.Command(a.args[0], a.args[1:]...)
	a.cmd.Stdout, a.cmd.Stderr = os.Stderr, os.Stderr
	g := NewWithT(a.t)
	g.Expect(a.cmd.Start()).To(Succeed())
	g.Eventually(func() error {
		response, err := http.Get(a.url + "/-/ready")
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

// stop ends it in order: it keeps whom it notified of what.
func (a *realAlertmanager) stop() {
	a.t.Helper()
	g := NewWithT(a.t)
	g.Expect(a.cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
	g.Expect(a.cmd.Wait()).To(Succeed())
	a.cmd = nil
}

// kill ends it when the test is over.
func (a *realAlertmanager) kill() {
	if a.cmd != nil {
		_ = a.cmd.Process.Kill()
		_ = a.cmd.Wait()
	}
}

// active lists the ids of the alerts that are firing.
func (a *realAlertmanager) active() []string {
	response, err := http.Get(a.url + "/api/v2/alerts?active=true")
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

// notified gives "firing a", "resolved a", ... as people were told.
func (a *realAlertmanager) notified() []string {
	var all []string
	for _, body := range a.sink.taken() {
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

func (a *realAlertmanager) world(resend string) *world {
	return newWorld(a.t, strings.NewReplacer("URL", a.url, "RESEND", resend).Replace(`
receivers:
- {name: am, alertmanager: {urls: ["URL"], resend: RESEND}}
routes:
- receivers: [am]
`))
}

func TestAlertmanagerKeepsWhatIsSentAgain(t *testing.T) {
	a := newRealAlertmanager(t)
	a.start()
	g, w := NewWithT(t), a.world("200ms")
	kill := w.life()
	stuck := hung("a")
	w.open(stuck)

	g.Eventually(a.notified, "20s").Should(Equal([]string{"firing a"}))
	g.Consistently(a.active, "2s").Should(Equal([]string{"a"}), "twice as long as it lasts by itself")
	w.close(stuck)
	g.Eventually(a.notified, "20s").Should(Equal([]string{"firing a", "resolved a"}))

	w.open(hung("b"))
	g.Eventually(a.active, "20s").Should(Equal([]string{"b"}))
	kill()
	g.Eventually(a.active, "20s").Should(BeEmpty(), "nobody vouches for it any more")
}

// TestAlertmanagerAndControlPlaneAreDownTogether takes both down, changes things
// meanwhile, and starts both again: people hear of every change once.
func TestAlertmanagerAndControlPlaneAreDownTogether(t *testing.T) {
	a := newRealAlertmanager(t)
	a.start()
	g, w := NewWithT(t), a.world("1s")
	kill := w.life()
	over, lasting, later := hung("over"), hung("lasting"), hung("later")
	w.open(over)
	w.open(lasting)
	g.Eventually(a.notified, "20s").Should(ConsistOf("firing over", "firing lasting"))

	a.stop()
	w.close(over)
	g.Eventually(func() string { return w.store.Snapshot().Delivery("am").Error }, "20s").
		Should(ContainSubstring("refused"), "it is tried while it is down")
	kill()
	w.open(later)
	a.start()
	w.life()

	g.Eventually(a.notified, "20s").Should(ConsistOf("firing over", "firing lasting", "resolved over", "firing later"))
	g.Eventually(a.active, "20s").Should(ConsistOf("lasting", "later"), "it forgot what it was not told again")
	w.close(later)
	w.close(lasting)
	g.Eventually(func() int { return len(a.notified()) }, "20s").Should(Equal(6))
	g.Consistently(func() []string { return slices.Sorted(slices.Values(a.notified())) }, "2s").Should(Equal([]string{
		"firing lasting", "firing later", "firing over", "resolved lasting", "resolved later", "resolved over"}))
}
