package manifest_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/manifest"
	"mooring/model"
)

func TestParsePlan(t *testing.T) {
	g := NewWithT(t)
	plan, err := manifest.ParsePlan("plan.yml", []byte(`
name: stemcell-1.915
cells: {pool: default, az: [z1, z2]}
action: recreate
via: {command: "bin/act $MOORING_ACTION", within: 20m}
max_in_flight: 10%
canaries: 1
window: "Sat 02:00-06:00 Europe/London"
on_stuck: hold
`))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(plan).To(Equal(model.PlanSpec{
		Name:        "stemcell-1.915",
		Cells:       model.Selector{Pool: "default", AZ: []string{"z1", "z2"}},
		Action:      model.Recreate,
		Via:         model.Via{Command: "bin/act $MOORING_ACTION", Within: model.Duration(20 * time.Minute)},
		MaxInFlight: model.Limit{Percent: 10},
		Canaries:    1,
		Window:      "Sat 02:00-06:00 Europe/London",
		OnStuck:     model.StuckHold,
	}))
}

func TestParsePlanChoosesCells(t *testing.T) {
	for text, want := range map[string]model.Selector{
		"all":                        {All: true},
		"[cell-1, cell-2]":           {IDs: []string{"cell-1", "cell-2"}},
		"cell-1":                     {IDs: []string{"cell-1"}},
		"{az: z1}":                   {AZ: []string{"z1"}},
		"{pool: big, ids: [cell-1]}": {Pool: "big", IDs: []string{"cell-1"}},
	} {
		g := NewWithT(t)
		plan, err := manifest.ParsePlan("plan.yml", []byte("name: p\naction: reboot\nvia: {wait: true}\ncells: "+text+"\n"))
		g.Expect(err).NotTo(HaveOccurred(), text)
		g.Expect(plan.Cells).To(Equal(want), text)
		g.Expect(plan.Via.Wait).To(BeTrue())
	}
}

func TestParsePlanSaysWhatIsWrongAndWhere(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"an empty file": {"", `plan.yml: name: is missing; give the plan a name such as stemcell-1.915
plan.yml: cells: names no cell; list some, choose by pool or az, or write "all"
plan.yml: action: is missing; use restart, reboot, recreate or retire`},
		"no cell":                 {"name: p\naction: reboot\ncells: {}\n", `plan.yml:3:1: cells: names no cell; list some, choose by pool or az, or write "all"`},
		"an empty list":           {"name: p\naction: reboot\ncells: []\n", `plan.yml:3:1: cells: names no cell; list some, choose by pool or az, or write "all"`},
		"a ceiling of none":       {"name: p\naction: reboot\ncells: all\nmax_in_flight: 0\n", "plan.yml:4:16: max_in_flight: is 0, with which no cell would ever roll; leave it out for no ceiling"},
		"a ceiling of what":       {"name: p\naction: reboot\ncells: all\nmax_in_flight: few\n", `plan.yml:4:16: max_in_flight: limit "few" is neither a count such as 1 nor a share such as 25%`},
		"a way that is not known": {"name: p\naction: reboot\ncells: all\nvia: {boat: x}\n", `plan.yml:4:7: unknown field "boat"`},
		"no way":                  {"name: p\naction: reboot\ncells: all\nvia: {wait: false}\n", "plan.yml:4:1: via: says nothing; give a command, wait: true or bosh, or leave it out for the control plane's own way"},
		"a choice not known":      {"name: p\naction: reboot\ncells: {zone: z1}\n", `plan.yml:3:9: unknown field "zone"`},
		"several, in order": {"name: p/q\naction: explode\ncells: [c1, c1]\nwindow: Sat\nvia: {wait: perhaps, command: x}\n",
			`plan.yml:1:7: name: "p/q" is not a name: use 1 to 63 letters, digits, '.', '-' and '_', beginning and ending with a letter or digit
plan.yml:2:9: action: is "explode"; use restart, reboot, recreate or retire
plan.yml:3:13: cells.ids[1]: "c1" is there twice
plan.yml:4:9: window: window "Sat": it needs times and a time zone; write it as "Sat 02:00-06:00 Europe/London" or "02:00-06:00 UTC"
plan.yml:5:13: via.wait: "perhaps" is neither true nor false`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := manifest.ParsePlan("plan.yml", []byte(row.text))
			NewWithT(t).Expect(err).To(MatchError(row.want))
		})
	}
}
