package browser

import (
	"fmt"
	"testing"

	"mooring/dev/devtest"
)

func TestMain(m *testing.M) { devtest.Main(m) }

// fleet is a running `moor dev` with a data service on it.
type fleet struct{ *devtest.Fleet }

// manifest is six instances on fixed volumes, three on floating ones and three
// without. The first app's handler hangs while there is a file "hang-INDEX".
const manifest = `applications:
- name: ledger
  owner: "ledger team, #ledger"
  instances: 6
  memory: 16M
  command: exec sleep 100000
  mounts: [{volume: ledger-data, path: /data}]
  health: {type: process}
  lifecycle:
    max_interrupted: 1
    max_draining: 1
    interrupt: {command: "%[1]s/interrupt.sh", timeout: 60s, progress_timeout: 2s}
    drain: none
    healthy_for: 1s
- name: queue
  instances: 3
  memory: 16M
  command: exec sleep 100000
  mounts: [{volume: queue-log, path: /data}]
  health: {type: process}
  lifecycle: {max_interrupted: 1, max_draining: 1, drain: none, healthy_for: 1s}
- name: gateway
  instances: 3
  memory: 16M
  command: exec sleep 100000
  health: {type: process}
  lifecycle: {max_interrupted: 1, max_draining: 1, healthy_for: 1s}
`

const handler = `#!/bin/sh
if [ -e "%[1]s/hang-$CF_INSTANCE_INDEX" ]; then
  echo '{"progress": 0.31, "message": "5300 of 16384 slots moved"}'
  echo "connecting to the peer at 127.83.0.4:10007: no answer"
  exec sleep 3600
fi
echo '{"progress": 0.5, "message": "half of it"}'
sleep 0.3
`

const plan = "name: %s\ncells: all\naction: recreate\n"

// startFleet runs `moor dev` with the data service until the test ends.
func startFleet(t *testing.T, flags ...string) fleet {
	t.Helper()
	chromium(t) // without one there is no use in it
	f := fleet{devtest.Start(t, flags...)}
	f.Write("app.yml", fmt.Sprintf(manifest, f.Dir), 0o644)
	f.Write("interrupt.sh", fmt.Sprintf(handler, f.Dir), 0o755)
	f.Must("moor create-volume-set ledger-data --class persistent --count 6 --size 10M")
	f.Must("moor create-volume-set queue-log --class shared --count 3 --size 10M")
	f.Must("moor push -f app.yml")
	return f
}

// roll starts a plan over the whole fleet.
func (f fleet) roll(name string) {
	f.Write(name+".yml", fmt.Sprintf(plan, name), 0o644)
	f.Must("moor roll " + name + ".yml --reason 'kernel fix'")
}
