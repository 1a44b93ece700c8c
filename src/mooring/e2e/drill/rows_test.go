package drill

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/dev/devtest"
	"mooring/model"
)

// operators own what no app's owner can do anything about.
const operators = "cloud ops"

// Small fleets, of one cell for each instance of the service.
var (
	oneZone  = []string{"--cells", "3", "--azs", "1", "--domains", "1"}
	twoZones = []string{"--cells", "2", "--azs", "2", "--domains", "1"}
)

// steady is a service whose instances are interrupted one at a time.
func steady(handler string) service {
	return service{instances: 3, class: "persistent", lifecycle: `
		max_interrupted: 1
		max_draining: 1
		interrupt: {command: HANDLER, ` + handler + `}
		drain: none
		return_within: 1s`}
}

// afterSeen is a rule that is met a while after what a handler noted.
func afterSeen(later time.Duration) func(*drill, string) time.Time {
	return func(d *drill, _ string) time.Time { return d.at("seen-1").Add(later) }
}

// with plants a file for instance 1, and rolls all cells.
func with(fault string) func(*drill) string {
	return func(d *drill) string {
		d.touch(fault + "-1")
		d.roll("p", "cells: all\naction: restart")
		return d.cellOf(1)
	}
}

// without takes the file away and has the handler run again.
func without(fault string) func(*drill, *model.Stuck) {
	return func(d *drill, alert *model.Stuck) {
		d.remove(fault + "-1")
		d.answer(alert, model.Answer{Verb: model.Retry})
	}
}

// crashed has an instance end, and fail to start from then on.
func crashed(d *drill, index string) {
	d.touch("crash-" + index)
	d.Eventually("moor app redis", "crashed")
}

// rows are all ways of being stuck, the longest first.
func rows() []row {
	return append(hostRows(), append(handlerRows(), policyRows()...)...)
}

func handlerRows() []row {
	return []row{{
		name: "a handler hangs", kind: model.HandlerHung, flags: oneZone,
		service: steady("timeout: 60s, progress_timeout: 1s"),
		plant:   with("hang"), met: afterSeen(time.Second), others: true,
		ends: client.LinkHandler, says: "it last reported 31% 5300 of 16384 slots moved; it last wrote: line 25",
		evidence: func(d *drill, alert *model.Stuck) {
			d.g.Expect(alert.Progress).To(Equal(0.31))
			d.g.Expect(alert.Message).To(Equal("5300 of 16384 slots moved"))
			d.g.Expect(alert.Output).To(HaveLen(20))
			d.g.Expect(alert.Output).To(HaveExactElements(append([]any{"line 6"}, anything(19)...)...))
			d.g.Expect(*alert.App).To(Equal(d.app()))
			d.g.Expect(alert.Index).To(Equal(1))
			d.g.Expect(alert.Phase).To(Equal(model.Interrupting))
			d.g.Expect(alert.Since).To(BeTemporally("~", d.at("seen-1"), time.Second), "it says when it last moved")
		},
		mend: without("hang"),
	}, {
		name: "a hung handler is mended by its owner", kind: model.HandlerHung, flags: oneZone,
		service: steady("timeout: 60s, progress_timeout: 1s"),
		plant:   with("hang"), met: afterSeen(time.Second), others: true,
		ends: client.LinkHandler, says: "line 25",
		mend: func(d *drill, _ *model.Stuck) {
			d.remove("hang-1")
			d.push(steady("timeout: 60s, progress_timeout: 2s")) // nobody answers
		},
	}, {
		name: "a handler takes too long", kind: model.HandlerOverdue, flags: oneZone,
		service: steady("timeout: 2s, progress_timeout: 1s"),
		plant:   with("slow"), met: afterSeen(2 * time.Second), others: true,
		ends: client.LinkHandler, says: "still moving", mend: without("slow"),
		evidence: func(d *drill, alert *model.Stuck) { d.g.Expect(alert.Message).To(Equal("still moving")) },
	}, {
		name: "a handler fails whenever it is tried", kind: model.HandlerFailed, flags: oneZone,
		service: steady("timeout: 3s, progress_timeout: 3s"),
		plant:   with("fail"), met: afterSeen(0), others: true,
		ends: client.LinkHandler, says: "it ended with", mend: without("fail"),
		evidence: func(d *drill, alert *model.Stuck) {
			d.g.Expect(d.Must("wc -l < tries-1")).NotTo(Equal("1\n"), "it was tried again")
			d.g.Expect(alert.Error).To(ContainSubstring("7"))
			d.g.Expect(alert.Output).To(ContainElement("peer refused"))
		},
	}, {
		name: "a drain hangs", kind: model.HandlerHung, flags: oneZone,
		service: service{instances: 3, class: "ephemeral", lifecycle: `
			max_interrupted: 1
			max_draining: 1
			drain: {command: HANDLER, timeout: 60s, progress_timeout: 1s}`},
		plant: func(d *drill) string {
			d.touch("hang-1")
			cell := d.cellOf(1)
			d.roll("p", "cells: ["+cell+"]\naction: recreate")
			return cell
		},
		met: afterSeen(time.Second), ends: client.LinkHandler, says: "line 25",
		evidence: func(d *drill, alert *model.Stuck) {
			d.g.Expect(alert.Phase).To(Equal(model.Draining))
			d.g.Expect(alert.Data).To(ConsistOf("default/default/data/1"))
		},
		mend: without("hang"),
	}}
}

func policyRows() []row {
	return []row{{
		name: "what has to be drained is down", kind: model.DrainImpossible, flags: oneZone, owner: operators,
		service: service{instances: 3, class: "ephemeral", lifecycle: `
			max_interrupted: 1
			max_draining: 1
			drain: {command: HANDLER, timeout: 60s, progress_timeout: 20s}`},
		plant: func(d *drill) string {
			cell := d.cellOf(1)
			crashed(d, "1")
			d.roll("p", "cells: ["+cell+"]\naction: recreate")
			return cell
		},
		met:  func(d *drill, _ string) time.Time { return d.planned },
		ends: client.LinkInstance, says: "default/default/redis/1 is crashed",
		evidence: func(d *drill, alert *model.Stuck) {
			d.g.Expect(alert.Data).To(ConsistOf("default/default/data/1"))
			d.shows("no space left on device")
		},
		mend: func(d *drill, _ *model.Stuck) { d.remove("crash-1") },
	}, {
		name: "another instance is down", kind: model.WaitingForBudget, flags: oneZone,
		service: steady("timeout: 60s, progress_timeout: 20s"),
		plant: func(d *drill) string {
			cell := d.cellOf(0)
			crashed(d, "1")
			d.roll("p", "cells: ["+cell+", "+d.cellOf(2)+"]\naction: restart")
			return d.plan("p").Order[0]
		},
		met:  func(d *drill, _ string) time.Time { return d.planned.Add(time.Second) },
		ends: client.LinkInstance, says: "default/default/redis/1 is crashed",
		evidence: func(d *drill, alert *model.Stuck) {
			d.g.Expect(alert.Index).To(Equal(1), "it names whose fault it is")
			d.g.Expect(alert.Blocks).To(ConsistOf(d.cellOf(0), d.cellOf(2)), "and all that wait for it")
			for _, cell := range alert.Blocks {
				d.Eventually("moor why "+cell, "default/default/redis/1 is crashed")
			}
		},
		mend: func(d *drill, _ *model.Stuck) { d.remove("crash-1") },
	}, {
		name: "a policy says never", kind: model.PolicyForbids, flags: oneZone,
		service: service{instances: 1, class: "persistent", lifecycle: `
			max_interrupted: 0
			max_draining: 0
			drain: none`},
		plant: func(d *drill) string {
			d.roll("p", "cells: all\naction: restart")
			return d.cellOf(0)
		},
		met: func(d *drill, _ string) time.Time { return d.planned }, others: true,
		ends: client.LinkPolicy, says: "max_interrupted 0",
		mend: func(d *drill, _ *model.Stuck) {
			d.push(service{instances: 1, class: "persistent", lifecycle: "max_interrupted: 1\nmax_draining: 0\ndrain: none"})
		},
	}, {
		name: "a policy says never, long before the window opens", kind: model.PolicyForbids, flags: oneZone,
		service: service{instances: 1, class: "persistent", lifecycle: `
			max_interrupted: 0
			max_draining: 0
			drain: none`},
		plant: func(d *drill) string {
			opens := time.Now().UTC().Add(6 * time.Hour)
			d.roll("p", fmt.Sprintf("cells: all\naction: restart\nwindow: %q", opens.Format("15:04")+"-"+opens.Add(time.Hour).Format("15:04")+" UTC"))
			return d.cellOf(0)
		},
		met:  func(d *drill, _ string) time.Time { return d.planned },
		ends: client.LinkPolicy, says: "max_interrupted 0",
		mend: func(d *drill, _ *model.Stuck) {
			d.push(service{instances: 1, class: "persistent", lifecycle: "max_interrupted: 1\nmax_draining: 0\ndrain: none"})
		},
		unfinished: true, // it waits for its window
	}, {
		name: "there is room nowhere", kind: model.NoRoom, flags: twoZones, owner: operators,
		service: service{instances: 2, class: "shared", lifecycle: `
			max_interrupted: 1
			max_draining: 1
			drain: none`},
		plant: func(d *drill) string {
			cell := d.cellOf(1)
			d.roll("p", "cells: ["+cell+"]\naction: retire")
			return cell
		},
		met:  func(d *drill, _ string) time.Time { return d.planned },
		ends: client.LinkStuck, says: "no other cell could take it",
		mend: func(d *drill, alert *model.Stuck) { d.answer(alert, model.Answer{Verb: model.Skip}) },
	}, {
		name: "there is no memory left elsewhere", kind: model.NoRoom, flags: append([]string{"--memory", "64M"}, twoZones...), owner: operators,
		service: service{instances: 2, class: "ephemeral", memory: "48M", lifecycle: `
			max_interrupted: 1
			max_draining: 1
			drain: {command: HANDLER, timeout: 60s, progress_timeout: 20s}
			return_within: 1s`},
		plant: func(d *drill) string {
			cell := d.cellOf(1)
			d.roll("p", "cells: ["+cell+"]\naction: recreate")
			return cell
		},
		met: func(d *drill, _ string) time.Time {
			instances, err := d.api.Instances(d.t.Context(), d.app())
			d.g.Expect(err).NotTo(HaveOccurred())
			return instances[1].Permit.Times[model.StepYielded].Add(time.Second)
		},
		ends: client.LinkHost, says: "memory",
		mend: func(d *drill, alert *model.Stuck) { d.answer(alert, model.Answer{Verb: model.Skip}) },
	}}
}

func hostRows() []row {
	return []row{{
		name: "a cell does not return", kind: model.NotReturned, flags: []string{"--cells", "6", "--azs", "1", "--domains", "1"}, owner: operators,
		service: service{instances: 6, class: "persistent", lifecycle: "max_interrupted: 3\nmax_draining: 1\ndrain: none"},
		plant: func(d *drill) string {
			cell := d.cellOf(1)
			var others []string
			for index := range 6 {
				if index != 1 {
					others = append(others, d.cellOf(index))
				}
			}
			d.roll("before", "cells: ["+strings.Join(others, ", ")+"]\naction: restart")
			d.Must("moor roll-status before --wait")
			d.touch("hang")
			d.roll("p", "cells: ["+cell+`]
action: restart
via: {command: "while [ -e `+d.Dir+`/hang ]; do sleep 0.1; done; `+d.act()+`"}`)
			return cell
		},
		// What it learned from the other five is less than the least patience.
		met:  func(d *drill, cell string) time.Time { return d.entered("p", cell, model.Acting).Add(30 * time.Second) },
		ends: client.LinkStuck, says: "the restart is still under way",
		mend: func(d *drill, _ *model.Stuck) { d.remove("hang") },
	}, {
		name: "an action fails", kind: model.ActionFailed, flags: oneZone, owner: operators,
		service: steady("timeout: 60s, progress_timeout: 20s"),
		plant: func(d *drill) string {
			cell := d.cellOf(1)
			d.touch("fail-" + cell)
			d.roll("p", `cells: all
action: restart
via: {command: "if [ -e `+d.Dir+`/fail-$MOORING_CELL ]; then date +%s.%N > `+d.Dir+`/failed; echo no such host; exit 4; fi; `+d.act()+`"}`)
			return cell
		},
		met:  func(d *drill, _ string) time.Time { return d.at("failed") },
		ends: client.LinkHost, says: "no such host",
		mend: func(d *drill, alert *model.Stuck) {
			d.remove("fail-" + alert.CellID)
			d.answer(alert, model.Answer{Verb: model.Retry})
		},
	}, {
		name: "nobody acts on a quiet cell", kind: model.NotStopped, flags: oneZone, owner: operators,
		service: steady("timeout: 60s, progress_timeout: 20s"),
		plant: func(d *drill) string {
			cell := d.cellOf(1)
			d.roll("p", "cells: ["+cell+"]\naction: restart\nvia: {wait: true, within: 1s}")
			return cell
		},
		met:  func(d *drill, cell string) time.Time { return d.entered("p", cell, model.Acting).Add(time.Second) },
		ends: client.LinkStuck, says: "nobody acts on it",
		mend: func(d *drill, alert *model.Stuck) { d.Must("moor dev host restart " + alert.CellID) },
	}, {
		name: "a volume does not detach", kind: model.InstanceNotStopped, flags: oneZone, owner: operators,
		service: steady("timeout: 60s, progress_timeout: 20s"),
		plant: func(d *drill) string {
			cell := d.cellOf(1)
			d.mend = d.clings(1)
			d.roll("p", "cells: all\naction: restart")
			return cell
		},
		// Half a minute, after what the process has to stop.
		met: afterSeen(40 * time.Second), others: true,
		ends: client.LinkInstance, says: "file name too long",
		evidence: func(d *drill, alert *model.Stuck) {
			d.g.Expect(alert.Index).To(Equal(1))
			d.g.Expect(alert.Phase).To(Equal(model.Interrupting))
		},
		mend: func(d *drill, alert *model.Stuck) {
			d.mend()
			d.answer(alert, model.Answer{Verb: model.Retry})
		},
	}, {
		name: "a cell goes without leave", kind: model.CellGone, flags: oneZone, owner: operators,
		service: steady("timeout: 60s, progress_timeout: 20s"),
		plant: func(d *drill) string {
			cell := d.cellOf(1)
			d.g.Expect(syscall.Kill(d.agent(cell), syscall.SIGSTOP)).To(Succeed())
			d.planned = time.Now()
			return cell
		},
		// Its lease lasts for two seconds; etcd looks for what ran out twice in one.
		// It was last heard of up to a third of that before it was stopped.
		met:   func(d *drill, _ string) time.Time { return d.planned.Add(2*time.Second + 500*time.Millisecond) },
		early: 1500 * time.Millisecond,
		ends:  client.LinkCell, says: "does not answer",
		evidence: func(d *drill, alert *model.Stuck) {
			d.g.Expect(alert.Data).To(ConsistOf("default/default/data/1"))
			d.g.Expect(alert.Since).To(BeTemporally("~", d.planned, time.Second), "it says when it was last heard of")
			d.g.Expect(alert.Plan).To(BeEmpty())
			d.roll("p", "cells: ["+alert.CellID+"]\naction: restart")
			d.g.Eventually(func() model.Stuck { return d.stuck()[0] }, patience, "50ms").Should(
				And(HaveField("Plan", "p"), HaveField("Phase", model.Queued), HaveField("Blocks", ConsistOf(alert.CellID))), "a plan waits for it now")
			d.whole(&d.stuck()[0], operators)
		},
		mend: func(d *drill, alert *model.Stuck) {
			d.g.Expect(syscall.Kill(d.agent(alert.CellID), syscall.SIGCONT)).To(Succeed())
		},
	}, {
		name: "an instance does not come back", kind: model.NotSettled, flags: oneZone,
		service: steady("timeout: 60s, progress_timeout: 20s"),
		plant: func(d *drill) string {
			cell := d.cellOf(1)
			d.touch("then-crash-1")
			d.roll("p", "cells: ["+cell+"]\naction: restart")
			return cell
		},
		met:  func(d *drill, cell string) time.Time { return d.entered("p", cell, model.Settling).Add(time.Second) },
		ends: client.LinkInstance, says: "default/default/redis/1 is crashed",
		evidence: func(d *drill, _ *model.Stuck) { d.shows("no space left on device") },
		mend:     func(d *drill, _ *model.Stuck) { d.remove("then-crash-1", "crash-1") },
	}}
}

// act is the command that acts on a host of the fleet, for a plan.
func (d *drill) act() string {
	return devtest.Moor() + " dev host --state-dir " + d.StateDir() + " $MOORING_ACTION $MOORING_CELL"
}

func anything(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = Not(BeEmpty())
	}
	return list
}
