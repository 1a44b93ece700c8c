package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/dev"
	"mooring/dev/devtest"
	"mooring/model"
	"mooring/notify/notifytest"
)

// outage is for how long Alertmanager is down.
const outage = time.Minute

// hanging is an app whose handler stands still while a file says so, and is not
// taken to do so otherwise, however long a busy machine takes to run it.
const hanging = `
applications:
- name: ledger
  instances: 2
  memory: 32M
  command: exec sleep 86400
  health: {type: process}
  mounts:
  - {volume: data, path: /data}
  lifecycle:
    max_interrupted: 1
    max_draining: 1
    interrupt: {command: 'while [ -e DIR/hang-$CF_INSTANCE_INDEX ]; do sleep 0.1; done', timeout: 10m, progress_timeout: 10s}
    drain: none
    healthy_for: 100ms
`

// TestNoAlertIsLostInAnOutage has Alertmanager down for a minute and kills the
// control plane in that minute: one alert closes and one opens meanwhile, and
// people hear of each change, once.
func TestNoAlertIsLostInAnOutage(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := NewWithT(t)
	am := notifytest.NewAlertmanager(t)
	am.Start()
	dir := t.TempDir()
	config := filepath.Join(dir, "alerts.yml")
	g.Expect(os.WriteFile(config, []byte(fmt.Sprintf(`
receivers:
- {name: am, alertmanager: {urls: [%q], resend: 1s}}
routes:
- receivers: [am]
`, am.URL)), 0o600)).To(Succeed())
	f := devtest.StartWith(t, []string{"MOORING_ALERTS_CONFIG=" + config}, "--cells", "2", "--azs", "1")
	api := f.Client()
	f.Must("moor create-volume-set data --count 2 --size 1M")
	f.Write("app.yml", strings.ReplaceAll(hanging, "DIR", dir), 0o644)
	f.Must("moor push -f app.yml")
	f.Eventually("moor app ledger", "2 of 2 serving")

	f.Must("touch " + dir + "/hang-0 && moor roll --cells all --action restart --name first")
	first := theStuck(t, api, 0)
	g.Eventually(am.Notified, "20s").Should(Equal([]string{"firing " + first}))

	am.Stop()
	back := time.After(outage)
	f.Must("rm " + dir + "/hang-0 && moor resolve " + first + " retry --reason 'it was told to go on'")
	f.Eventually("moor rolls", "2/2")
	killControlPlane(t, f)
	f.Eventually("touch "+dir+"/hang-1; moor roll --cells all --action restart --name second || moor rolls", "second")
	second := theStuck(t, api, 1)
	g.Consistently(am.Notified, "1s").Should(HaveLen(1))
	<-back
	am.Start()

	g.Eventually(am.Notified, "60s").Should(ConsistOf("firing "+first, "resolved "+first, "firing "+second))
	f.Must("rm " + dir + "/hang-1 && moor resolve " + second + " retry --reason 'it was told to go on'")
	g.Eventually(am.Notified, "60s").Should(HaveLen(4))
	g.Consistently(am.Notified, "3s").Should(ConsistOf("firing "+first, "resolved "+first, "firing "+second, "resolved "+second), "each once")
}

// theStuck waits until the instance of an index is stuck, alone.
func theStuck(t *testing.T, api *client.Client, index int) string {
	t.Helper()
	var items []model.Stuck
	NewWithT(t).Eventually(func() (_ []model.Stuck, err error) {
		items, err = api.Stuck(context.Background())
		return items, err
	}, "30s").Should(ConsistOf(And(HaveField("Kind", model.HandlerHung), HaveField("Index", index))))
	return items[0].ID
}

// killControlPlane kills it as a crash would.
func killControlPlane(t *testing.T, f *devtest.Fleet) {
	t.Helper()
	g := NewWithT(t)
	var processes []dev.Process
	g.Expect(json.Unmarshal([]byte(f.Must("moor dev processes --json")), &processes)).To(Succeed())
	at := slices.IndexFunc(processes, func(p dev.Process) bool { return p.Name == "control-plane" })
	g.Expect(at).To(BeNumerically(">=", 0))
	g.Expect(syscall.Kill(processes[at].PID, syscall.SIGKILL)).To(Succeed())
}
