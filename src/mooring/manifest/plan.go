package manifest

import (
	"github.com/goccy/go-yaml/ast"

	"mooring/model"
)

// planFile is an operator's plan as it is written.
type planFile struct {
	Name        scalar      `yaml:"name"`
	Cells       *cellsEntry `yaml:"cells"`
	Action      scalar      `yaml:"action"`
	Via         *viaEntry   `yaml:"via"`
	MaxInFlight scalar      `yaml:"max_in_flight"`
	Canaries    scalar      `yaml:"canaries"`
	Window      scalar      `yaml:"window"`
	OnStuck     scalar      `yaml:"on_stuck"`
}

type viaEntry struct {
	Command scalar `yaml:"command"`
	Wait    scalar `yaml:"wait"`
	Within  scalar `yaml:"within"`
	Bosh    *struct {
		Deployment    scalar `yaml:"deployment"`
		InstanceGroup scalar `yaml:"instance_group"`
	} `yaml:"bosh"`
}

// cellsEntry is "all", a list of cells, or a choice by pool and zone.
type cellsEntry struct {
	list   scalars
	choice struct {
		Pool scalar  `yaml:"pool"`
		AZ   scalars `yaml:"az"`
		IDs  scalars `yaml:"ids"`
	}
}

// UnmarshalYAML takes any of the three.
func (c *cellsEntry) UnmarshalYAML(node ast.Node) error {
	if _, ok := bare(node).(ast.MapNode); ok {
		return strictly(node, &c.choice, "")
	}
	return c.list.UnmarshalYAML(node)
}

// ParsePlan reads an operator's plan. file is its name, for messages. The
// error is Problems.
func ParsePlan(file string, data []byte) (model.PlanSpec, error) {
	r := &reader{file: file}
	var plan planFile
	if !r.read(data, &plan) {
		return model.PlanSpec{}, r.found.err()
	}
	spec := model.PlanSpec{
		Name:        plan.Name.text,
		Action:      model.Action(plan.Action.text),
		MaxInFlight: r.limit(plan.MaxInFlight, "max_in_flight"),
		Canaries:    r.number(plan.Canaries, "canaries", 0),
		Window:      plan.Window.text,
		OnStuck:     model.StuckChoice(plan.OnStuck.text),
	}
	if plan.MaxInFlight.given() && spec.MaxInFlight.Never() && !r.noted(plan.MaxInFlight.token, "max_in_flight") {
		r.wrong(plan.MaxInFlight.token, "max_in_flight", "is 0, with which no cell would ever roll; leave it out for no ceiling")
	}
	if plan.Cells != nil {
		spec.Cells = plan.Cells.selector()
	}
	if plan.Via != nil {
		spec.Via = model.Via{Command: plan.Via.Command.text, Wait: r.yes(plan.Via.Wait, "via.wait"), Within: r.duration(plan.Via.Within, "via.within")}
		if bosh := plan.Via.Bosh; bosh != nil {
			spec.Via.Bosh = &model.BoshVia{Deployment: bosh.Deployment.text, InstanceGroup: bosh.InstanceGroup.text}
		}
		if spec.Via == (model.Via{}) {
			r.wrong(r.locate("via"), "via", "says nothing; give a command, wait: true or bosh, or leave it out for the control plane's own way")
		}
	}
	r.place("", spec.Validate())
	if err := r.found.err(); err != nil {
		return model.PlanSpec{}, err
	}
	return spec, nil
}

func (c *cellsEntry) selector() model.Selector {
	if len(c.list) == 1 && c.list[0].text == "all" {
		return model.Selector{All: true}
	}
	if c.list != nil {
		return model.Selector{IDs: c.list.texts()}
	}
	return model.Selector{Pool: c.choice.Pool.text, AZ: c.choice.AZ.texts(), IDs: c.choice.IDs.texts()}
}
