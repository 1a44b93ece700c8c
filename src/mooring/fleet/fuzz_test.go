package fleet_test

import (
	"bytes"
	"strings"
	"testing"

	"mooring/fleet"
)

// What is read is a fleet: it can be asked what it is, and placed if it is
// small.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		small, "{}", "[]", "null", `{"cells": [], "apps": []}`, `{"cells": [{"id": "a", "az": "z"}], "apps": [{"name": "x", "instances": 3, "max_interrupted": "1%", "kind": "floating"}]}`,
		`{"cells": [{"id": "a", "az": "z", "memory_mb": 1e308, "domain": -1}], "apps": [], "rolls": {"a": 1e-320}, "max_in_flight": "0%"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		read, err := fleet.Read(bytes.NewReader(content), func(string) {})
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("refused without a word")
			}
			return
		}
		if err := read.Validate(); err != nil {
			t.Fatalf("accepted and not good: %v", err)
		}
		read.Placed()
		instances := 0
		for i := range read.Apps {
			read.Apps[i].Limit()
			instances += read.Apps[i].Instances
		}
		if len(read.Cells) > 20 || instances < 0 || instances > 100 {
			return
		}
		var placed bytes.Buffer
		if fleet.Place(bytes.NewReader(content), &placed, func(string) {}) == nil {
			if _, err := fleet.Read(&placed, func(string) {}); err != nil {
				t.Fatalf("what was placed cannot be read: %v", err)
			}
		}
	})
}
