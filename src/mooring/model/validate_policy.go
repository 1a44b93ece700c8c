package model

import (
	"fmt"
	"strings"
)

// Validate says everything that is wrong with the policy, as Problems. A limit
// of 0 is not wrong: see Warnings.
func (p *Policy) Validate() error {
	c := newCheck()
	p.check(c.field("lifecycle"))
	return c.err()
}

func (p *Policy) check(c check) {
	p.MaxInterrupted.check(c.field("max_interrupted"))
	p.MaxDraining.check(c.field("max_draining"))
	if p.MaxDisrupted != nil {
		p.MaxDisrupted.check(c.field("max_disrupted"))
	}
	p.Interrupt.check(c.field("interrupt"))
	p.Drain.check(c.field("drain"))
	if p.Drain != nil && p.Drain.Cancel != "" {
		c.field("drain").field("cancel").wrong("goes with interrupt alone; leave it out")
	}
	if p.Drain != nil && p.DataDisposable {
		c.field("drain").wrong("has a handler, and \"drain: none\" says that the data is disposable; keep one of the two")
	}
	if p.HealthyFor < 0 {
		c.field("healthy_for").wrong("is less than no time")
	}
	if p.ReturnWithin < 0 {
		c.field("return_within").wrong("is less than no time")
	}
	switch p.Floating {
	case "", FloatingMove, FloatingStay:
	default:
		c.field("floating").wrong("is %q; use move or stay", p.Floating)
	}
	p.OnStuck.check(c.field("on_stuck"))
}

func (l Limit) check(c check) {
	switch {
	case l.Count < 0:
		c.wrong("is %d; a limit cannot be less than 0", l.Count)
	case l.Percent < 0 || l.Percent > 100:
		c.wrong("is %d%%; a share lies between 0%% and 100%%", l.Percent)
	case l.Count > 0 && l.Percent > 0:
		c.wrong("is both a count and a share; give one")
	}
}

// check accepts a nil handler: there is none.
func (h *Handler) check(c check) {
	if h == nil {
		return
	}
	c.field("command").command(h.Command)
	c.field("http").text(h.HTTP)
	c.field("cancel").command(h.Cancel)
	command, http := strings.TrimSpace(h.Command) != "", h.HTTP != ""
	switch {
	case command && http:
		c.wrong("has both a command and an http path; give one")
	case !command && !http:
		c.wrong("has neither a command nor an http path; give one")
	case http && !strings.HasPrefix(h.HTTP, "/"):
		c.field("http").wrong("is %q; write a path on the instance's first port, beginning with /", h.HTTP)
	}
	if h.Cancel != "" && strings.TrimSpace(h.Cancel) == "" {
		c.field("cancel").wrong("is blank; give a command, or leave it out")
	}
	if h.Timeout < 0 {
		c.field("timeout").wrong("is less than no time")
	}
	if h.ProgressTimeout < 0 {
		c.field("progress_timeout").wrong("is less than no time")
	}
}

func (o OnStuck) check(c check) {
	switch o.Answer {
	case "", StuckHold, StuckSkip:
		if o.After != 0 {
			c.field("after").wrong("goes with force alone")
		}
	case StuckForce:
		if o.After <= 0 {
			c.field("after").wrong("is missing; say how long to hold before force, as in \"force_after: 2h\"")
		}
	default:
		c.wrong("is %q; use hold, skip, or force_after with a time", o.Answer)
	}
}

// Warnings says what a policy forbids for good when it applies to n desired
// instances: it is accepted, and nobody should be surprised.
func (p *Policy) Warnings(n int) []string {
	var warnings []string
	never := func(limit string, what string) {
		warnings = append(warnings, fmt.Sprintf("%s: %s", limit, what))
	}
	if n <= 0 {
		return nil // nothing runs that could be disrupted
	}
	switch {
	case p.MaxDisrupted != nil && p.MaxDisrupted.Never():
		never("lifecycle.max_disrupted: is 0", "no instance may ever be disrupted, so no cell with one can ever be rolled, and no update reaches them")
	case p.MaxInterrupted.Never() && p.MaxDraining.Never():
		never("lifecycle.max_interrupted: is 0, and so is max_draining", "no instance may ever be disrupted, so no cell with one can ever be rolled, and no update reaches them")
	case p.MaxInterrupted.Never():
		never("lifecycle.max_interrupted: is 0", "no instance may ever be interrupted, so no cell with one can be rolled where its volumes stay, and no update reaches them")
	case p.MaxDraining.Never() && !p.DataDisposable && p.Drain != nil:
		never("lifecycle.max_draining: is 0", "no instance may ever be drained, so no cell with one can be rolled where its volumes go, and the application cannot shrink")
	}
	return warnings
}

// Warnings says what is accepted about the app and deserves a second look.
func (a *App) Warnings() []string { return a.Policy.Warnings(a.Instances) }
