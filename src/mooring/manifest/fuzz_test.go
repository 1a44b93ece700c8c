package manifest_test

import (
	"testing"

	"mooring/manifest"
)

// What is accepted is good, and what is not is said so; nothing in a file makes
// its reader fall over.
func FuzzParseApps(f *testing.F) {
	for _, seed := range []string{
		redis, "", "applications:", "applications: []", "applications: [{name: a, command: x}]", "applications: [null, {}]",
		"applications:\n- &a {name: a, command: x}\n- {<<: *a, name: b}\n", "a: &a [*a]", "applications: *x", "- - - -", "{{{{",
		"applications: [{name: a, command: x, instances: 99999999999999999999, memory: 9E, env: {A: {}}, ports: [a, a]}]",
		"applications: [{name: a, command: x, mounts: [{volume: d, path: /d}], lifecycle: {max_interrupted: 101%, drain: none, on_stuck: {force_after: -1s}}}]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		apps, err := manifest.ParseApps("app.yml", content, here)
		if err != nil {
			if err.Error() == "" || apps != nil {
				t.Fatalf("refused with %q and %d apps", err, len(apps))
			}
			return
		}
		for i := range apps {
			if err := apps[i].Validate(); err != nil {
				t.Fatalf("accepted and not good: %v", err)
			}
			app := apps[i].Policy.WithDefaults()
			if err := app.Validate(); err != nil {
				t.Fatalf("the defaults are not good: %v", err)
			}
		}
	})
}

func FuzzParsePlan(f *testing.F) {
	for _, seed := range []string{
		"name: p\ncells: all\naction: reboot\n", "name: p\ncells: [c1, c2]\naction: recreate\nmax_in_flight: 10%\ncanaries: 1\nwindow: Sat 02:00-06:00 Europe/London\non_stuck: skip\n",
		"name: p\ncells: {pool: default, az: [z1, z2]}\naction: retire\nvia: {bosh: {deployment: d, instance_group: g}}\n",
		"name: p\ncells: {ids: c1}\naction: restart\nvia: {command: x, within: 5m}\n", "cells: &a [*a]", "window: 25:00", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		plan, err := manifest.ParsePlan("plan.yml", content)
		if err == nil {
			if err := plan.Validate(); err != nil {
				t.Fatalf("accepted and not good: %v", err)
			}
		} else if err.Error() == "" {
			t.Fatal("refused without a word")
		}
	})
}
