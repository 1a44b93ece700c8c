package fleet_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/fleet"
)

const small = `{
  "cells": [{"id":"c1","az":"z1"},{"id":"c2","az":"z2"},{"id":"c3","az":"z1"}],
  "apps": [{"name":"kv","instances":2,"max_interrupted":1,"kind":"fixed","cells":["c1","c2"]},
           {"name":"web","instances":3,"max_interrupted":"50%","kind":"none","cells":["c1","c2","c3"]}],
  "rolls": {"c1":300,"c2":200.5,"c3":100},
  "estimates": {"c1":290},
  "failures": [{"cell":"c3","at_s":10,"for_s":60}],
  "x-note": "ignored"}`

func TestReadTakesTheWholeFormat(t *testing.T) {
	g := NewWithT(t)
	f, err := fleet.Read(strings.NewReader(small))
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
		{`"max_interrupted":1`, `"max_interrupted":-1`, `apps[0]`},
		{`"c2":200.5`, `"c2":-3`, `rolls["c2"]: -3 seconds is negative`},
		{`"c2":200.5`, `"c2":"3"`, `rolls["c2"]: a string where`},
		{`"c2":200.5`, `"c1":1`, `rolls["c1"]: the cell is listed twice`},
		{`"c1":290`, `"c7":290`, `estimates["c7"]: unknown cell`},
		{`"cell":"c3"`, `"cell":"c4"`, `failures[0].cell: unknown cell "c4"`},
		{`"for_s":60`, `"for_s":-60`, `failures[0].for_s: -60 seconds is negative`},
		{`"failures"`, `"az_serial":3,"failures"`, `az_serial: a number where`},
		{`"ignored"}`, `"ignored"} {}`, `something follows the fleet`},
		{`"ignored"}`, `"ignored"`, `truncated`},
		{`,"c3":100}`, ``, `rolls`},
	} {
		t.Run(broken.to, func(t *testing.T) {
			g := NewWithT(t)
			text := strings.Replace(small, broken.from, broken.to, 1)
			g.Expect(text).NotTo(Equal(small))
			_, err := fleet.Read(strings.NewReader(text))
			g.Expect(err).To(MatchError(ContainSubstring(broken.want)))
			var path *fleet.PathError
			g.Expect(errors.As(err, &path)).To(BeTrue())
		})
	}
}

func TestAFileCutAnywhereIsRefused(t *testing.T) {
	g := NewWithT(t)
	for n := range len(small) - 1 {
		_, err := fleet.Read(strings.NewReader(small[:n]))
		g.Expect(err).To(HaveOccurred(), small[:n])
	}
}

func TestALimitIsWrittenAsItIsRead(t *testing.T) {
	g := NewWithT(t)
	f, err := fleet.Read(strings.NewReader(`{"cells":[{"id":"c1","az":"z1"}],"apps":[
 {"name":"a","instances":1,"max_interrupted":1,"kind":"fixed"},
 {"name":"b","instances":1,"max_interrupted":"25%","kind":"fixed"},
 {"name":"c","instances":1,"max_interrupted":0,"kind":"none"}],"max_in_flight":2}`))
	g.Expect(err).NotTo(HaveOccurred())
	text, err := json.Marshal(f)
	g.Expect(err).NotTo(HaveOccurred())
	for _, want := range []string{`"max_interrupted":1,`, `"max_interrupted":"25%"`, `"max_interrupted":0,`, `"max_in_flight":2`} {
		g.Expect(string(text)).To(ContainSubstring(want))
	}
}
