package drill

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/dev/devtest"
	"mooring/model"
)

// instanceScript is every instance of the drill. It fails to start, or ends,
// while there is a file "crash-INDEX"; nor is it healthy then, however long it
// takes to end.
const instanceScript = `#!/bin/sh
cd "%[1]s"
echo "$MOORING_VOLUME_DATA" > "volume-$CF_INSTANCE_INDEX"
while ! [ -e "crash-$CF_INSTANCE_INDEX" ]; do sleep 0.1; done
date +%%s.%%N > "crashed-$CF_INSTANCE_INDEX"
echo "no space left on device"
exit 3
`

// handlerScript is every handler of the drill. What a file "MODE-INDEX" says is
// how it goes wrong; when its rule will be met is counted from the time that it
// leaves in "seen-INDEX".
const handlerScript = `#!/bin/sh
cd "%[1]s"
seen() { date +%%s.%%N > "seen-$CF_INSTANCE_INDEX"; }
if [ -e "hang-$CF_INSTANCE_INDEX" ]; then
  for line in $(seq 1 25); do echo "line $line"; done
  echo '{"progress": 0.31, "message": "5300 of 16384 slots moved"}'
  seen
  exec sleep 3600
fi
if [ -e "slow-$CF_INSTANCE_INDEX" ]; then
  seen
  for step in $(seq 1 99); do
    echo "{\"progress\": 0.$(printf %%02d $step), \"message\": \"still moving\"}"
    sleep 0.2
  done
fi
if [ -e "fail-$CF_INSTANCE_INDEX" ]; then
  echo "peer refused"
  echo x >> "tries-$CF_INSTANCE_INDEX"
  seen
  exit 7
fi
[ -e "then-crash-$CF_INSTANCE_INDEX" ] && touch "crash-$CF_INSTANCE_INDEX"
echo '{"progress": 0.5, "message": "half of it"}'
sleep 0.1
seen
`

const owner = "redis team, #redis"

// service is the app of a drill.
type service struct {
	instances int
	class     string // of its volumes, "" for none
	memory    string
	lifecycle string // what differs from the rest of it
}

const manifest = `applications:
- name: redis
  owner: %q
  instances: %d
  memory: %s
  command: "%s/instance.sh"
  health: {type: command, command: 'test ! -e "%s/crash-$CF_INSTANCE_INDEX"', interval: 100ms}
%s  lifecycle:
    healthy_for: 200ms
%s`

// drill is a fleet with a data service on it, on which one thing goes wrong.
type drill struct {
	*devtest.Fleet
	t   *testing.T
	g   *WithT
	api *client.Client
	// planned is when the plan was asked for.
	planned time.Time
	// mend takes away what was planted, where a file's name is not enough.
	mend func()
}

func newDrill(t *testing.T, s service, env []string, flags ...string) *drill {
	t.Helper()
	d := &drill{Fleet: devtest.StartWith(t, env, append([]string{"--lease-ttl", "2s"}, flags...)...), t: t, g: NewWithT(t)}
	d.api = d.Client()
	d.Write("instance.sh", fmt.Sprintf(instanceScript, d.Dir), 0o755)
	d.Write("handler.sh", fmt.Sprintf(handlerScript, d.Dir), 0o755)
	d.push(s)
	if s.instances > 0 {
		d.Eventually("moor app redis", fmt.Sprintf("%d of %[1]d serving", s.instances))
	}
	return d
}

// push makes the service, or changes it.
func (d *drill) push(s service) {
	d.t.Helper()
	if s.instances == 0 {
		return
	}
	mounts := ""
	if s.class != "" {
		mounts = "  mounts: [{volume: data, path: /data}]\n"
		_, _ = d.Sh(fmt.Sprintf("moor create-volume-set data --class %s --count %d --size 10M", s.class, s.instances))
	}
	var lifecycle strings.Builder
	for _, line := range strings.Split(strings.TrimSpace(s.lifecycle), "\n") {
		fmt.Fprintf(&lifecycle, "    %s\n", strings.TrimSpace(line))
	}
	memory := s.memory
	if memory == "" {
		memory = "16M"
	}
	d.Write("redis.yml", fmt.Sprintf(manifest, owner, s.instances, memory, d.Dir, d.Dir, mounts,
		strings.ReplaceAll(lifecycle.String(), "HANDLER", d.Dir+"/handler.sh")), 0o644)
	d.Must("moor push -f redis.yml")
}

// roll starts a plan of a name from what of it is not the usual.
func (d *drill) roll(name, spec string) {
	d.t.Helper()
	d.Write(name+".yml", "name: "+name+"\n"+spec+"\n", 0o644)
	d.planned = time.Now()
	d.Must("moor roll " + name + ".yml --reason 'kernel fix'")
}

func (d *drill) touch(names ...string) {
	for _, name := range names {
		d.Write(name, "", 0o644)
	}
}

// clings makes the volume of an instance one that cannot be flushed, and so not
// detached: paths in it are longer than any program can name. The result mends
// it.
func (d *drill) clings(index int) (mend func()) {
	d.t.Helper()
	volume := strings.TrimSpace(d.Must(fmt.Sprintf("cat volume-%d", index)))
	root, err := os.OpenRoot(volume)
	for range 25 {
		d.g.Expect(err).NotTo(HaveOccurred())
		name := strings.Repeat("a", 200)
		d.g.Expect(root.Mkdir(name, 0o755)).To(Succeed())
		outer := root
		root, err = outer.OpenRoot(name)
		d.g.Expect(outer.Close()).To(Succeed())
	}
	d.g.Expect(err).NotTo(HaveOccurred())
	d.g.Expect(root.Close()).To(Succeed())
	return func() { d.g.Expect(os.RemoveAll(filepath.Join(volume, strings.Repeat("a", 200)))).To(Succeed()) }
}

func (d *drill) remove(names ...string) {
	for _, name := range names {
		_ = os.Remove(filepath.Join(d.Dir, name))
	}
}

// at reads the moment that a script left in a file.
func (d *drill) at(name string) time.Time {
	d.t.Helper()
	data, err := os.ReadFile(filepath.Join(d.Dir, name))
	d.g.Expect(err).NotTo(HaveOccurred())
	seconds, fraction, _ := strings.Cut(strings.TrimSpace(string(data)), ".")
	s, err := strconv.ParseInt(seconds, 10, 64)
	d.g.Expect(err).NotTo(HaveOccurred())
	n, err := strconv.ParseInt(fraction, 10, 64)
	d.g.Expect(err).NotTo(HaveOccurred())
	return time.Unix(s, n)
}

// cellOf gives where an instance of the service is.
func (d *drill) cellOf(index int) string {
	d.t.Helper()
	instances, err := d.api.Instances(context.Background(), d.app())
	d.g.Expect(err).NotTo(HaveOccurred())
	for _, inst := range instances {
		if inst.Index == index {
			return inst.CellID
		}
	}
	d.t.Fatalf("there is no instance %d", index)
	return ""
}

func (d *drill) app() model.Name {
	return model.Name{Org: "default", Space: "default", Name: "redis"}
}

func (d *drill) stuck() []model.Stuck {
	d.t.Helper()
	items, err := d.api.Stuck(context.Background())
	d.g.Expect(err).NotTo(HaveOccurred())
	return items
}

// entered gives when a roll entered a phase.
func (d *drill) entered(plan, cell string, phase model.Phase) time.Time {
	d.t.Helper()
	for _, roll := range d.plan(plan).Rolls {
		if roll.CellID == cell {
			at, ok := roll.Entered(phase)
			d.g.Expect(ok).To(BeTrue(), "the roll of %s never was %s", cell, phase)
			return at
		}
	}
	d.t.Fatalf("plan %s has no roll of %s", plan, cell)
	return time.Time{}
}

func (d *drill) plan(name string) *client.PlanView {
	d.t.Helper()
	plan, err := d.api.Plan(context.Background(), name)
	d.g.Expect(err).NotTo(HaveOccurred())
	return plan
}

// done lists the cells that a plan is done with.
func (d *drill) done(plan string) []string {
	var cells []string
	for _, roll := range d.plan(plan).Rolls {
		if roll.Phase == model.RollDone {
			cells = append(cells, roll.CellID)
		}
	}
	slices.Sort(cells)
	return cells
}

// agent gives the process of a cell's agent.
func (d *drill) agent(cell string) int {
	d.t.Helper()
	var pid int
	_, err := fmt.Sscan(d.Must("moor dev processes | awk '$1 == \""+cell+"/cell\" {print $2}'"), &pid)
	d.g.Expect(err).NotTo(HaveOccurred())
	return pid
}

// told is a chain as text, a link a line.
func told(why *client.Why) string {
	var lines []string
	for _, link := range why.Chain {
		lines = append(lines, fmt.Sprintf("%s %s (%s): %s", link.Kind, link.Name, link.Owner, link.Text))
	}
	return strings.Join(lines, "\n")
}
