package alerting

import (
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/notify/notifytest"
)

// toAlertmanager is a world that tells one.
func toAlertmanager(t *testing.T, a *notifytest.Alertmanager, resend string) *world {
	t.Helper()
	return newWorld(t, strings.NewReplacer("URL", a.URL, "RESEND", resend).Replace(`
receivers:
- {name: am, alertmanager: {urls: ["URL"], resend: RESEND}}
routes:
- receivers: [am]
`))
}

func TestAlertmanagerKeepsWhatIsSentAgain(t *testing.T) {
	a := notifytest.NewAlertmanager(t)
	a.Start()
	g, w := NewWithT(t), toAlertmanager(t, a, "200ms")
	kill := w.life()
	stuck := hung("a")
	w.open(stuck)

	g.Eventually(a.Notified, "20s").Should(Equal([]string{"firing a"}))
	g.Consistently(a.Active, "2s").Should(Equal([]string{"a"}), "twice as long as it lasts by itself")
	w.close(stuck)
	g.Eventually(a.Notified, "20s").Should(Equal([]string{"firing a", "resolved a"}))

	w.open(hung("b"))
	g.Eventually(a.Active, "20s").Should(Equal([]string{"b"}))
	kill()
	g.Eventually(a.Active, "20s").Should(BeEmpty(), "nobody vouches for it any more")
}

// TestAlertmanagerAndControlPlaneAreDownTogether takes both down, changes things
// meanwhile, and starts both again: people hear of every change once.
func TestAlertmanagerAndControlPlaneAreDownTogether(t *testing.T) {
	a := notifytest.NewAlertmanager(t)
	a.Start()
	g, w := NewWithT(t), toAlertmanager(t, a, "1s")
	kill := w.life()
	over, lasting, later := hung("over"), hung("lasting"), hung("later")
	w.open(over)
	w.open(lasting)
	g.Eventually(a.Notified, "20s").Should(ConsistOf("firing over", "firing lasting"))

	a.Stop()
	w.close(over)
	g.Eventually(func() string { return w.store.Snapshot().Delivery("am").Error }, "20s").
		Should(ContainSubstring("refused"), "it is tried while it is down")
	kill()
	w.open(later)
	a.Start()
	w.life()

	g.Eventually(a.Notified, "20s").Should(ConsistOf("firing over", "firing lasting", "resolved over", "firing later"))
	g.Eventually(a.Active, "20s").Should(ConsistOf("lasting", "later"), "it forgot what it was not told again")
	w.close(later)
	w.close(lasting)
	g.Eventually(func() int { return len(a.Notified()) }, "20s").Should(Equal(6))
	g.Consistently(func() []string { return slices.Sorted(slices.Values(a.Notified())) }, "2s").Should(Equal([]string{
		"firing lasting", "firing later", "firing over", "resolved lasting", "resolved later", "resolved over"}))
}
