package model_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestValidateVolumeSet(t *testing.T) {
	g := NewWithT(t)
	set := model.VolumeSet{Name: model.Name{Org: "acme", Space: "prod", Name: "data"}, Class: "persistent", Count: 6, Size: model.Gigabyte}
	g.Expect(set.Validate()).To(Succeed())
	bad := model.VolumeSet{Name: set.Name, Count: -1, ReserveMemory: -1, Pool: "A"}
	g.Expect(problems(bad.Validate())).To(Equal([]string{
		"class: is missing; name the class",
		"count: is -1; it cannot be less than 0",
		"size: is missing; say how much each volume holds, such as 1G",
		"reserve_memory: is less than nothing",
		`pool: pool "A" is not a name: use 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit`,
	}))
}

func TestValidatePlan(t *testing.T) {
	good := func() *model.PlanSpec {
		return &model.PlanSpec{Name: "stemcell-1.915", Cells: model.Selector{All: true}, Action: model.Recreate}
	}
	NewWithT(t).Expect(good().Validate()).To(Succeed())
	for name, row := range map[string]struct {
		change func(p *model.PlanSpec)
		want   []string
	}{
		"no name":                  {func(p *model.PlanSpec) { p.Name = "" }, []string{"name: is missing; give the plan a name such as stemcell-1.915"}},
		"a name that is a path":    {func(p *model.PlanSpec) { p.Name = "a/b" }, []string{`name: "a/b" is not a name: use 1 to 63 letters, digits, '.', '-' and '_', beginning and ending with a letter or digit`}},
		"no cell":                  {func(p *model.PlanSpec) { p.Cells = model.Selector{} }, []string{`cells: names no cell; list some, choose by pool or az, or write "all"`}},
		"all and some":             {func(p *model.PlanSpec) { p.Cells.Pool = "default" }, []string{"cells: says all and chooses some; keep one of the two"}},
		"a cell twice":             {func(p *model.PlanSpec) { p.Cells = model.Selector{IDs: []string{"cell-1", "cell-1"}} }, []string{`cells.ids[1]: "cell-1" is there twice`}},
		"no action":                {func(p *model.PlanSpec) { p.Action = "" }, []string{"action: is missing; use restart, reboot, recreate or retire"}},
		"an action that is none":   {func(p *model.PlanSpec) { p.Action = "explode" }, []string{`action: is "explode"; use restart, reboot, recreate or retire`}},
		"two ways":                 {func(p *model.PlanSpec) { p.Via = model.Via{Command: "x", Wait: true} }, []string{"via: has more than one of command, wait and bosh; give one"}},
		"canaries below 0":         {func(p *model.PlanSpec) { p.Canaries = -1 }, []string{"canaries: is -1; it cannot be less than 0"}},
		"a window that never was":  {func(p *model.PlanSpec) { p.Window = "02:00-06:00" }, []string{`window: window "02:00-06:00": it needs times and a time zone; write it as "Sat 02:00-06:00 Europe/London" or "02:00-06:00 UTC"`}},
		"a plan that forces":       {func(p *model.PlanSpec) { p.OnStuck = model.StuckForce }, []string{`on_stuck: is "force"; use hold or skip`}},
		"a ceiling that is no one": {func(p *model.PlanSpec) { p.MaxInFlight = model.Limit{Count: -1} }, []string{"max_in_flight: is -1; a limit cannot be less than 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := good()
			row.change(plan)
			NewWithT(t).Expect(problems(plan.Validate())).To(Equal(row.want))
		})
	}
}

func TestValidateAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		answer model.Answer
		want   []string
	}{
		"retry":            {model.Answer{Verb: model.Retry, Reason: "fixed it"}, nil},
		"wait":             {model.Answer{Verb: model.Wait, Reason: "slow", For: 1}, nil},
		"nothing":          {model.Answer{}, []string{"verb: is missing; use wait, retry, force, skip or lost", "reason: is missing; say why, it is kept with the event"}},
		"a blank reason":   {model.Answer{Verb: model.Skip, Reason: " "}, []string{"reason: is missing; say why, it is kept with the event"}},
		"another verb":     {model.Answer{Verb: "kill", Reason: "x"}, []string{`verb: is "kill"; use wait, retry, force, skip or lost`}},
		"wait for nothing": {model.Answer{Verb: model.Wait, Reason: "x"}, []string{"for: is missing; say how much longer to wait, such as 10m"}},
		"retry for long":   {model.Answer{Verb: model.Retry, Reason: "x", For: 1}, []string{"for: goes with wait alone"}},
		"confirmed skip":   {model.Answer{Verb: model.Skip, Reason: "x", Confirm: []string{"v"}}, []string{"confirm: goes with force and lost alone, where data is given up"}},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(problems(row.answer.Validate())).To(Equal(row.want))
		})
	}
}

func TestAnswerAgainstWhatIsStuck(t *testing.T) {
	stuck := &model.Stuck{Answers: []model.Verb{model.Retry, model.Force}, Data: []string{"acme/prod/data/3"}}
	for name, row := range map[string]struct {
		answer model.Answer
		want   []string
	}{
		"an open answer":          {model.Answer{Verb: model.Retry}, nil},
		"an answer that is not":   {model.Answer{Verb: model.Skip}, []string{"verb: skip is no answer to this; use one of: retry, force"}},
		"force without the names": {model.Answer{Verb: model.Force}, []string{"confirm: the data of acme/prod/data/3 would be lost; repeat that name to confirm"}},
		"force with the names":    {model.Answer{Verb: model.Force, Confirm: []string{"acme/prod/data/3"}}, nil},
		"force with other names": {model.Answer{Verb: model.Force, Confirm: []string{"acme/prod/data/4"}}, []string{
			"confirm: the data of acme/prod/data/3 would be lost; repeat that name to confirm",
			`confirm[0]: "acme/prod/data/4" is not among the data that would be lost`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(problems(row.answer.CheckAgainst(stuck))).To(Equal(row.want))
		})
	}
}

func TestValidateRegistration(t *testing.T) {
	g := NewWithT(t)
	good := model.Registration{Cell: model.Cell{
		ID: "cell-1", AZ: "z1", Pool: "default", Address: "127.83.0.1", LogAddress: "127.83.0.1:9000", Memory: model.Gigabyte,
		PortMin: 10000, PortMax: 19999, Boot: "b", Start: "s",
		Classes: []model.Class{{Name: "persistent", Survives: model.Recreate, Capacity: model.Gigabyte}},
	}}
	g.Expect(good.Validate()).To(Succeed())

	bad := good
	bad.ID, bad.Address, bad.LogAddress, bad.Memory, bad.PortMin, bad.Boot, bad.Start = "", "", "x", 0, 20000, "", ""
	bad.DomainGiven = true
	bad.Classes = []model.Class{{Name: "a", Survives: model.Reboot}, {Name: "a", Survives: "all", Capacity: -1}}
	g.Expect(problems(bad.Validate())).To(Equal([]string{
		"id: is missing; name the cell",
		"domain: is 0; update domains count from 1",
		"address: is missing; say where instances on the cell are reached",
		`log_address: is "x"; write IP:port`,
		"memory: is missing; say how much instances may take",
		"port_min: ports 20000 to 19999 are no range between 1 and 65535",
		"boot: is missing; name the boot of the host",
		"start: is missing; name the start of the agent",
		`classes[1].survives: is "all"; use restart, reboot, recreate or retire`,
		"classes[1].capacity: is less than nothing",
		`classes[1].name: "a" is there twice`,
	}))
}
