package e2e

import (
	"net"
	"os/exec"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/dev/devtest"
)

const manifest = `
applications:
- name: NAME
  instances: 2
  memory: 32M
  command: exec sleep 86400
  health: {type: process}
  mounts:
  - {volume: SET, path: /data}
  lifecycle:
    max_interrupted: LIMIT
    max_draining: 1
    DRAIN
    healthy_for: 100ms
`

// push writes a manifest and pushes it.
func push(replacements ...string) string {
	defaults := []string{"NAME", "app", "SET", "data", "LIMIT", "1", "DRAIN", `drain: {command: "true"}`}
	text := strings.NewReplacer(append(replacements, defaults...)...).Replace(manifest)
	return "cat > app.yml <<'EOF'" + text + "EOF\nmoor push -f app.yml"
}

// Bad input gets a clear error, and changes nothing.
func TestBadInputIsRefused(t *testing.T) {
	f := devtest.Start(t, "--cells", "2", "--azs", "1")
	f.Must("moor create-volume-set data --count 2 --size 1M")

	for _, test := range []struct {
		name, script string
		says         []string
	}{
		{"an unknown field in a manifest", push("healthy_for:", "healthy_fore: 1s\n    healthy_for:"), []string{"healthy_fore", "app.yml:13:5"}},
		{"a volume larger than any cell", "moor create-volume-set huge --count 1 --size 900G", []string{"900G", "10G"}},
		{"a fixed volume that nobody drains", push("DRAIN", ""), []string{"drain"}},
		{"a volume set that does not exist", push("SET", "nowhere"), []string{"there is no volume set default/default/nowhere", "moor create-volume-set nowhere"}},
		{"a plan that names no cell", "moor preview --cells cell-9 --action reboot", []string{"cell-9"}},
		{"a plan whose AZ has no cell", "moor roll --az z9 --action reboot", []string{"z9"}},
		{"an unknown field in a plan", "printf 'name: p\\ncells: all\\naction: reboot\\nfast: true\\n' | moor preview -", []string{"fast", "4:1"}},
		{"an action that does not exist", "moor roll --cells all --action explode", []string{"explode", "recreate"}},
		{"a plan through BOSH where there is no Director", "moor roll --cells all --action restart --via-bosh mooring/cell", []string{"no Director is known here", "--director"}},
		{"an app that does not exist", "moor scale nobody 3", []string{"nobody"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := NewWithT(t)
			before := f.Must("moor apps; moor volume-sets; moor rolls")
			out, err := f.Sh(test.script)
			g.Expect(err).To(HaveOccurred(), out)
			for _, want := range test.says {
				g.Expect(out).To(ContainSubstring(want))
			}
			g.Expect(f.Must("moor apps; moor volume-sets; moor rolls")).To(Equal(before))
		})
	}

	t.Run("a policy that forbids every roll is accepted, loudly", func(t *testing.T) {
		g := NewWithT(t)
		out := f.Must(push("LIMIT", "0"))
		g.Expect(out).To(And(ContainSubstring("max_interrupted"), ContainSubstring("no instance may ever be interrupted")))
		f.Eventually("moor app app", "2 of 2 serving")
		g.Expect(f.Must("moor preview --cells all --action reboot")).To(And(ContainSubstring("app/0"), ContainSubstring("max_interrupted: 0")))
	})
	t.Run("a second app on the same volume set", func(t *testing.T) {
		g := NewWithT(t)
		out, err := f.Sh(push("NAME", "second"))
		g.Expect(err).To(HaveOccurred())
		g.Expect(out).To(ContainSubstring("volume set default/default/data belongs to another application"))
		g.Expect(f.Must("moor apps")).NotTo(ContainSubstring("second"))
	})
}

func TestAFleetThatCannotStartSaysWhy(t *testing.T) {
	start := func(flags ...string) string {
		out, err := exec.Command(devtest.Moor(), append([]string{"dev"}, flags...)...).CombinedOutput()
		NewWithT(t).Expect(err).To(HaveOccurred())
		return string(out)
	}
	t.Run("a state directory that cannot be written", func(t *testing.T) {
		NewWithT(t).Expect(start("--state-dir", "/proc/nowhere", "--listen", "127.0.0.1:0")).
			To(ContainSubstring("choose a directory you may write to with --state-dir"))
	})
	t.Run("a port that is taken", func(t *testing.T) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		NewWithT(t).Expect(start("--state-dir", t.TempDir(), "--listen", taken.Addr().String())).
			To(ContainSubstring("the port is taken; stop what listens there or choose another with --listen"))
	})
}
