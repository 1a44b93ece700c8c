package manifest

import (
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"mooring/model"
)

type lifecycleEntry struct {
	MaxInterrupted scalar        `yaml:"max_interrupted"`
	MaxDraining    scalar        `yaml:"max_draining"`
	MaxDisrupted   scalar        `yaml:"max_disrupted"`
	Interrupt      *handlerEntry `yaml:"interrupt"`
	Drain          *drainEntry   `yaml:"drain"`
	HealthyFor     scalar        `yaml:"healthy_for"`
	ReturnWithin   scalar        `yaml:"return_within"`
	Floating       scalar        `yaml:"floating"`
	OnStuck        *stuckEntry   `yaml:"on_stuck"`
}

type handlerEntry struct {
	Command         scalar `yaml:"command"`
	HTTP            scalar `yaml:"http"`
	Cancel          scalar `yaml:"cancel"`
	Timeout         scalar `yaml:"timeout"`
	ProgressTimeout scalar `yaml:"progress_timeout"`
}

// drainEntry is a handler, or the word none.
type drainEntry struct {
	none    bool
	handler handlerEntry
}

// UnmarshalYAML takes a handler or "none".
func (d *drainEntry) UnmarshalYAML(node ast.Node) error {
	if word(node) == "none" {
		d.none = true
		return nil
	}
	return strictly(node, &d.handler, "a handler belongs here, or none if the data is disposable")
}

// stuckEntry is hold, skip, or force_after with a time.
type stuckEntry struct {
	answer scalar
	force  struct {
		After scalar `yaml:"force_after"`
	}
}

// UnmarshalYAML takes a word or {force_after: TIME}.
func (s *stuckEntry) UnmarshalYAML(node ast.Node) error {
	if s.answer.UnmarshalYAML(node) == nil {
		return nil
	}
	return strictly(node, &s.force, "hold, skip or force_after with a time belongs here")
}

// strictly decodes a mapping, refusing fields that out does not have; what
// says what belongs there when it is no mapping.
func strictly(node ast.Node, out any, what string) error {
	if _, ok := bare(node).(ast.MapNode); !ok {
		return &yaml.SyntaxError{Message: what, Token: first(node)}
	}
	return yaml.NodeToValue(node, out, strict...)
}

// policy reads the lifecycle of the app at base. An app with volumes has to
// say how many instances may be interrupted, and how many drained if it says
// how: a limit that was forgotten must not mean "never".
func (r *reader) policy(base string, e *lifecycleEntry, volumes bool) model.Policy {
	p := model.Policy{
		MaxInterrupted: r.limit(e.MaxInterrupted, "lifecycle.max_interrupted"),
		MaxDraining:    r.limit(e.MaxDraining, "lifecycle.max_draining"),
		Interrupt:      r.handler(e.Interrupt, "lifecycle.interrupt"),
		HealthyFor:     r.duration(e.HealthyFor, "lifecycle.healthy_for"),
		ReturnWithin:   r.duration(e.ReturnWithin, "lifecycle.return_within"),
		Floating:       model.FloatingChoice(e.Floating.text),
	}
	if !e.MaxInterrupted.given() {
		r.missing(base, "lifecycle.max_interrupted", "say how many instances may be interrupted at once, 0 for never")
	}
	if volumes && e.Drain != nil && !e.MaxDraining.given() {
		r.missing(base, "lifecycle.max_draining", "say how many instances may drain at once, 0 for never")
	}
	if e.MaxDisrupted.given() {
		both := r.limit(e.MaxDisrupted, "lifecycle.max_disrupted")
		p.MaxDisrupted = &both
	}
	switch {
	case e.Drain == nil:
	case e.Drain.none:
		p.DataDisposable = true
	default:
		p.Drain = r.handler(&e.Drain.handler, "lifecycle.drain")
	}
	if e.OnStuck != nil {
		p.OnStuck = model.OnStuck{Answer: model.StuckChoice(e.OnStuck.answer.text)}
		if !e.OnStuck.answer.given() {
			p.OnStuck = model.OnStuck{Answer: model.StuckForce, After: r.duration(e.OnStuck.force.After, "lifecycle.on_stuck.force_after")}
		}
	}
	return p
}

func (r *reader) handler(e *handlerEntry, where string) *model.Handler {
	if e == nil {
		return nil
	}
	return &model.Handler{
		Command:         e.Command.text,
		HTTP:            e.HTTP.text,
		Cancel:          e.Cancel.text,
		Timeout:         r.duration(e.Timeout, where+".timeout"),
		ProgressTimeout: r.duration(e.ProgressTimeout, where+".progress_timeout"),
	}
}
