package model_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestPlansThroughBOSH(t *testing.T) {
	plan := func(change func(*model.PlanSpec)) *model.PlanSpec {
		p := &model.PlanSpec{Name: "p", Cells: model.Selector{All: true}, Action: model.Recreate, Via: model.Via{Bosh: &model.BoshVia{Deployment: "mooring", InstanceGroup: "cell"}}}
		change(p)
		return p
	}
	for name, row := range map[string]struct {
		change func(*model.PlanSpec)
		want   []string
	}{
		"a whole group": {func(*model.PlanSpec) {}, nil},
		"no names": {func(p *model.PlanSpec) { p.Via.Bosh = &model.BoshVia{} }, []string{
			"via.bosh.deployment: is missing; name it as in the deployment's manifest",
			"via.bosh.instance_group: is missing; name it as in the deployment's manifest"}},
		"two ways": {func(p *model.PlanSpec) { p.Via.Wait = true }, []string{"via: has more than one of command, wait and bosh; give one"}},
		"a reboot": {func(p *model.PlanSpec) { p.Action = model.Reboot }, []string{"action: is reboot, which BOSH does not do to a group; use restart or recreate"}},
		"a retire": {func(p *model.PlanSpec) { p.Action = model.Retire }, []string{
			"action: is retire, which BOSH does by a deploy with fewer instances: deploy that, and its gates make the plan"}},
	} {
		NewWithT(t).Expect(problems(plan(row.change).Validate())).To(Equal(row.want), name)
	}

	g := NewWithT(t)
	g.Expect(plan(func(*model.PlanSpec) {}).WholeGroup()).To(BeTrue())
	g.Expect(plan(func(p *model.PlanSpec) { p.Cells = model.Selector{AZ: []string{"z1"}} }).WholeGroup()).To(BeFalse())
	g.Expect(plan(func(p *model.PlanSpec) { p.Via = model.Via{Wait: true} }).WholeGroup()).To(BeFalse())
	whole := model.Plan{PlanSpec: *plan(func(*model.PlanSpec) {})}
	g.Expect(whole.Converges()).To(BeTrue())
	whole.Converging = &model.Converging{Ended: "BOSH task 7 ended as error"}
	g.Expect(whole.Converges()).To(BeFalse(), "what it left is taken one cell at a time")
}
