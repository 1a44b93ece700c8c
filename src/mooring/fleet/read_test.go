package fleet_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	. "github.com/onsi/gomega"

	"mooring/fleet"
)

const small = `{
  "cells": [{"id":"c1","az":"z1"},{"id":"c2","az":"z2"},{"id":"c3","az":"z1"}],
  "apps": [{"name":"kv","instances":2,"max_interrupted":1,"kind":"fixed","cells":["c1","c2"]},
           {"name":"web","instances":3,"max_interrupted":"50%","kind":"none","cells":["c1","c2","c3"]}],
  "rolls": {"c1":300,"c2":200.5,"c3":100},
  "estimates": {"c1":290},
  "failures": [{"cell":"c3","at_s":10,"for_s":60}]}`

func TestReadTakesTheWholeFormat(t *testing.T) {
	g := NewWithT(t)
	f, err := fleet.Read(strings.NewReader(small), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cells).To(HaveLen(3))
	g.Expect(f.Apps[1].Limit()).To(Equal(1))
	g.Expect(f.Rolls["c2"]).To(Equal(200.5))
	g.Expect(f.Placed()).To(BeTrue())
}

func TestABrokenFleetIsRefusedWithThePath(t *testing.T) {
	for _, broken := range []struct{ from, to, want string }{
		{`"id":"c3"`, `"id":"c1"`, `cells[2].id: duplicate "c1"`},
		{`"az":"z2"`, `"az":""`, `cells[1].az: it is missing`},
		{`"az":"z2"`, `"az":7`, `cells[1].az: a number where`},
		{`["c1","c2"]`, `["c1","c9"]`, `apps[0].cells[1]: unknown cell "c9"`},
		{`["c1","c2"]`, `["c1"]`, `apps[0].cells: 1 cells for 2 instances`},
		{`"name":"web"`, `"name":"kv"`, `apps[1].name: duplicate "kv"`},
		{`"instances":3`, `"instances":4`, `apps[1].instances: 4 instances, but the fleet has only 3 cells`},
		{`"kind":"none"`, `"kind":"nfs"`, `apps[1].kind: "nfs" is not`},
		{`"max_interrupted":1`, `"max_interrupted":-1`, `apps[0].max_interrupted: -1 is negative`},
		{`"c2":200.5`, `"c2":-3`, `rolls["c2"]: -3 seconds is negative`},
		{`"c2":200.5`, `"c2":"3"`, `rolls["c2"]: a string where`},
		{`"c2":200.5`, `"c1":1`, `rolls["c1"]: it is there twice`},
		{`"max_interrupted":1,`, ``, `apps[0].max_interrupted: it is missing`},
		{`"max_interrupted":1,`, `"max_interrupted":null,`, `apps[0].max_interrupted: it is missing`},
		{`"max_interrupted":1,`, `"max_interupted":1,`, `apps[0].max_interupted: unknown key; did you mean max_interrupted?`},
		{`"max_interrupted":1,`, `"max_interrupted":1,"max_interrupted":2,`, `apps[0].max_interrupted: it is there twice`},
		{`"max_interrupted":1,`, `"max_interrupted":1.5,`, `apps[0].max_interrupted: 1.5 is not a whole number`},
		{`"max_interrupted":1,`, `"max_interrupted":[1],`, `apps[0].max_interrupted: a list where a count or a share`},
		{`"max_interrupted":"50%"`, `"max_interrupted":"most"`, `apps[1].max_interrupted: limit "most"`},
		{`"instances":2,`, ``, `apps[0].instances: it is missing`},
		{`"instances":2,`, `"instances":2.5,`, `apps[0].instances: 2.5 is not a whole number`},
		{`"instances":2,`, `"instances":"2",`, `apps[0].instances: a string where a whole number belongs`},
		{`"instances":2,`, `"instances":1e300,`, `apps[0].instances: 1e300 is not a whole number, or too large`},
		{`"kind":"none",`, ``, `apps[1].kind: it is missing`},
		{`"name":"web",`, ``, `apps[1].name: it is missing`},
		{`"id":"c1"`, `"ID":"c1"`, `cells[0].ID: unknown key; did you mean id?`},
		{`"cells": [{`, `"Cells": [{`, `Cells: unknown key; did you mean cells?`},
		{`"cells": [{"id":"c1","az":"z1"},`, `"cells": [null,`, `cells[0]: null where an object belongs`},
		{`"cells": [{"id":"c1","az":"z1"},`, `"cells": ["c1",`, `cells[0]: a string where an object belongs`},
		{`["c1","c2"]`, `["c1",2]`, `apps[0].cells[1]: a number where a string belongs`},
		{`["c1","c2"]`, `["c1",null]`, `apps[0].cells[1]: unknown cell ""`},
		{`["c1","c2"]`, `"c1"`, `apps[0].cells: a string where a list belongs`},
		{`["c1","c2"]`, `["c1",""]`, `apps[0].cells[1]: unknown cell ""`},
		{`"failures"`, `"max_in_flight":0,"failures"`, `max_in_flight: is 0, with which no cell would ever roll`},
		{`"failures"`, `"max_in_flight":"0%","failures"`, `max_in_flight: is 0`},
		{`"failures"`, `"canaries":-1,"failures"`, `canaries: -1 is negative`},
		{`"failures"`, `"move_s":0,"failures"`, `move_s: is 0, but a move takes some time`},
		{`"az":"z2"`, `"az":"z2","memory_mb":0`, `cells[1].memory_mb: is 0, with which nothing fits`},
		{`"az":"z2"`, `"az":"z2","memory_mb":8796093022208`, `cells[1].memory_mb: 8796093022208 MB are more than`},
		{`"az":"z2"`, `"az":"z2","domain":1.5`, `cells[1].domain: 1.5 is not a whole number`},
		{`"az":"z2"`, `"az":"z2","domain":true`, `cells[1].domain: true or false where a number or a string belongs`},
		{`"az":"z2"`, `"az":"z2","domain":""`, `cells[1].domain: it is empty`},
		{`"az":"z2"`, `"az":"z2","column":1`, `cells[1].column: it is given, but no domain`},
		{`"kind":"none"`, `"kind":"none","memory_mb":17592186044416`, `apps[1].memory_mb: 17592186044416 MB are more than`},
		{`"kind":"none"`, `"kind":"none","disk_mb":4398046511104`, `apps[1].disk_mb: 3 times 4398046511104 MB, and what other apps ask for, are more than`},
		{`"at_s":10,`, ``, `failures[0].at_s: it is missing`},
		{`"at_s":10`, `"at_s":1e999`, `failures[0].at_s: 1e999: value out of range`},
		{`"c1":290`, `"c7":290`, `estimates["c7"]: unknown cell`},
		{`"cell":"c3"`, `"cell":"c4"`, `failures[0].cell: unknown cell "c4"`},
		{`"for_s":60`, `"for_s":-60`, `failures[0].for_s: -60 seconds is negative`},
		{`"failures"`, `"az_serial":3,"failures"`, `az_serial: a number where`},
		{`"failures"`, `"note":{"a":1,"a":2},"failures"`, `note.a: it is there twice`},
		{`"failures"`, `"note":1,"note":2,"failures"`, `note: it is there twice`},
		{`"kind":"none"`, `"kind":"none","Disk":1`, `apps[1].Disk: unknown key; did you mean disk_mb?`},
		{`"az":"z2"}`, `"az":"z2",}`, `cells[1]: this is no JSON, at byte 56: invalid character ','`},
		{`"az":"z2"`, "\"az\":\"\xff\"", `cells[1].az: this is no JSON, at byte 53: invalid UTF-8`},
		{`"for_s":60}]}`, `"for_s":60}]} {}`, `$: this is no JSON, at byte 404: invalid character '{' after top-level value`},
		{`"for_s":60}]}`, `"for_s":60}]`, `$: the file ends here, at byte 402: it is truncated`},
		{`"for_s":60}]}`, `"for_s":6`, `failures[0]`},
		{`,"c3":100}`, ``, `rolls`},
	} {
		t.Run(broken.to, func(t *testing.T) {
			g := NewWithT(t)
			text := strings.Replace(small, broken.from, broken.to, 1)
			g.Expect(text).NotTo(Equal(small))
			_, err := fleet.Read(strings.NewReader(text), silent(t))
			g.Expect(err).To(MatchError(ContainSubstring(broken.want)))
			var path *fleet.PathError
			g.Expect(errors.As(err, &path)).To(BeTrue())
		})
	}
}

func TestWhatIsNoObjectIsRefusedAtItsRoot(t *testing.T) {
	for text, want := range map[string]string{
		``: `$: the file ends here, at byte 0: it is truncated`, `[]`: `$: a list where an object belongs`,
		`null`: `$: null where an object belongs`, `{}`: `cells: it is missing`, `{"cells":[]}`: `apps: it is missing`,
		`{"cells":[],"apps":[]}`: `cells: there are none`, `{"cells":[`: `cells: the file ends here`,
	} {
		_, err := fleet.Read(strings.NewReader(text), silent(t))
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("fleet: "+want)), text)
	}
}

func TestNullIsTheSameAsLeftOut(t *testing.T) {
	g := NewWithT(t)
	f, err := fleet.Read(strings.NewReader(`{"cells":[{"id":"c1","az":"z1","domain":null,"memory_mb":null}],
 "apps":[{"name":"kv","instances":1,"max_interrupted":1,"kind":"fixed","cells":null,"move_s":null}],
 "rolls":{"c1":null},"estimates":null,"max_in_flight":null,"az_serial":null,"canaries":null,"failures":null}`), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cells).To(Equal([]fleet.Cell{{ID: "c1", AZ: "z1"}}))
	g.Expect(f.Apps[0].Cells).To(BeNil())
	g.Expect(f.Rolls).To(BeEmpty())
}

func TestAWholeNumberMayHaveAPointOrAnExponent(t *testing.T) {
	g := NewWithT(t)
	f, err := fleet.Read(strings.NewReader(`{"cells":[{"id":"c1","az":"z1","domain":2.0,"memory_mb":1e3}],
 "apps":[{"name":"kv","instances":1.0,"max_interrupted":1e0,"kind":"fixed"}],"max_in_flight":1.0,"canaries":2e0}`), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cells[0]).To(Equal(fleet.Cell{ID: "c1", AZ: "z1", Domain: fleet.Numbered(2), MemoryMB: 1000}))
	g.Expect(f.Apps[0].Instances).To(Equal(1))
	g.Expect(f.Apps[0].MaxInterrupted.Count).To(Equal(1))
	g.Expect([]int{f.MaxInFlight.Count, f.Canaries}).To(Equal([]int{1, 2}))
}

func TestAppsTogetherAskForWhatCanBeCounted(t *testing.T) {
	g := NewWithT(t)
	text := strings.ReplaceAll(small, `"kind"`, `"memory_mb":2199023255552,"kind"`) // a quarter of that, five times
	_, err := fleet.Read(strings.NewReader(text), silent(t))
	g.Expect(err).To(MatchError(ContainSubstring("apps[1].memory_mb: 3 times 2199023255552 MB, and what other apps ask for, are more than can be counted")))
	_, err = fleet.Read(strings.NewReader(strings.ReplaceAll(text, "2199023255552", "1099511627776")), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
}

func TestRollsOfNobodyStayInTheFile(t *testing.T) {
	g := NewWithT(t)
	f, err := fleet.Read(strings.NewReader(`{"cells":[{"id":"c1","az":"z1"}],"apps":[],"rolls":{}}`), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	text, err := json.Marshal(f)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(text)).To(Equal(`{"cells":[{"id":"c1","az":"z1"}],"apps":[],"rolls":{}}`))
}

func TestAFileCutAnywhereIsRefused(t *testing.T) {
	g := NewWithT(t)
	for n := range len(small) - 1 {
		_, err := fleet.Read(strings.NewReader(small[:n]), silent(t))
		g.Expect(err).To(MatchError(ContainSubstring("it is truncated")), small[:n])
	}
}

func TestAFileThatCannotBeReadIsNotCalledBroken(t *testing.T) {
	g := NewWithT(t)
	gone := errors.New("the disk is gone")
	for _, n := range []int{0, 100, len(small)} {
		_, err := fleet.Read(io.MultiReader(strings.NewReader(small[:n]), iotest.ErrReader(gone)), silent(t))
		g.Expect(err).To(MatchError(gone))
		g.Expect(err).To(MatchError(HaveSuffix("read error: the disk is gone")))
	}
}

func TestKeysOfOthersArePassedOverWithOneWarningForEachShape(t *testing.T) {
	g := NewWithT(t)
	text := strings.NewReplacer(
		`"az":"z1"`, `"az":"z1","rack":{"row":[1,null]}`, // of c1 and c3
		`"kind":"none"`, `"kind":"none","note":"ours"`,
		`"rolls"`, `"x-note":null,"rolls"`).Replace(small)
	var said []string
	f, err := fleet.Read(strings.NewReader(text), func(text string) { said = append(said, text) })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(said).To(Equal([]string{
		"cells[0].rack: not a key of the format; it is passed over (2 times in all)",
		"apps[1].note: not a key of the format; it is passed over",
		"x-note: not a key of the format; it is passed over",
	}))
	plain, err := fleet.Read(strings.NewReader(small), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f).To(Equal(plain))
}

func TestTheIDOfACellIsNoIndex(t *testing.T) {
	g := NewWithT(t)
	_, err := fleet.Read(strings.NewReader(strings.Replace(small, `"c2":200.5`, `"7/~x":"3"`, 1)), silent(t))
	g.Expect(err).To(MatchError(`fleet: rolls["7/~x"]: a string where a number of seconds belongs`))
	_, err = fleet.Read(strings.NewReader(strings.Replace(small, `"c2":200.5`, `"7":"3"`, 1)), silent(t))
	g.Expect(err).To(MatchError(ContainSubstring(`rolls["7"]`)))
}

func TestKeysAndTextsMayBeWrittenWithEscapes(t *testing.T) {
	g := NewWithT(t)
	f, err := fleet.Read(strings.NewReader(`{"c\u0065lls":[{"id":"c\"1\u00fc","az":"zürich"}],"apps":[]}`), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(f.Cells).To(Equal([]fleet.Cell{{ID: `c"1ü`, AZ: "zürich"}}))
}

func TestALimitIsWrittenAsItIsRead(t *testing.T) {
	g := NewWithT(t)
	f, err := fleet.Read(strings.NewReader(`{"cells":[{"id":"c1","az":"z1"}],"apps":[
 {"name":"a","instances":1,"max_interrupted":1,"kind":"fixed"},
 {"name":"b","instances":1,"max_interrupted":"25%","kind":"fixed"},
 {"name":"c","instances":1,"max_interrupted":0,"kind":"none"}],"max_in_flight":2}`), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	text, err := json.Marshal(f)
	g.Expect(err).NotTo(HaveOccurred())
	for _, want := range []string{`"max_interrupted":1,`, `"max_interrupted":"25%"`, `"max_interrupted":0,`, `"max_in_flight":2`} {
		g.Expect(string(text)).To(ContainSubstring(want))
	}
}
