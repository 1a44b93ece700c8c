package model

import (
	"regexp"
	"slices"
	"strings"
)

// planName is what a plan may be called: a word that may hold versions, since
// it becomes part of keys and file names.
var planName = regexp.MustCompile(`^[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$`)

// Validate says everything that is wrong with the plan, as Problems. Whether
// the cells exist is for the control plane to say.
func (p *PlanSpec) Validate() error {
	c := newCheck()
	switch {
	case p.Name == "":
		c.field("name").wrong("is missing; give the plan a name such as stemcell-1.915")
	case !planName.MatchString(p.Name):
		c.field("name").wrong("%q is not a name: use 1 to 63 letters, digits, '.', '-' and '_', beginning and ending with a letter or digit", p.Name)
	}
	p.Cells.check(c.field("cells"))
	switch {
	case p.Action == "":
		c.field("action").wrong("is missing; use restart, reboot, recreate or retire")
	case p.Action.Rank() == 0:
		c.field("action").wrong("is %q; use restart, reboot, recreate or retire", p.Action)
	}
	switch p.Via.count() {
	case 0, 1:
	default:
		c.field("via").wrong("has more than one of command, wait and bosh; give one")
	}
	c.field("via").field("command").command(p.Via.Command)
	if p.Via.Within < 0 {
		c.field("via").field("within").wrong("is less than no time")
	}
	p.checkBosh(c)
	p.MaxInFlight.check(c.field("max_in_flight"))
	if p.Canaries < 0 {
		c.field("canaries").wrong("is %d; it cannot be less than 0", p.Canaries)
	}
	if _, err := ParseWindow(p.Window); err != nil {
		c.field("window").wrong("%v", err)
	}
	switch p.OnStuck {
	case "", StuckHold, StuckSkip:
	default:
		c.field("on_stuck").wrong("is %q; use hold or skip", p.OnStuck)
	}
	return c.err()
}

func (s Selector) check(c check) {
	switch {
	case s.Empty():
		c.wrong("names no cell; list some, choose by pool or az, or write \"all\"")
	case s.All && (len(s.IDs) > 0 || s.Pool != "" || len(s.AZ) > 0):
		c.wrong("says all and chooses some; keep one of the two")
	}
	if s.Pool != "" {
		c.field("pool").word("pool", s.Pool)
	}
	for _, list := range []struct {
		field, what string
		words       []string
	}{{"ids", "cell", s.IDs}, {"az", "availability zone", s.AZ}} {
		for i, text := range list.words {
			at := c.field(list.field).item(i)
			at.word(list.what, text)
			if slices.Contains(list.words[:i], text) {
				at.wrong("%q is there twice", text)
			}
		}
	}
}

// Validate says everything that is wrong with the answer, as Problems.
func (a *Answer) Validate() error {
	c := newCheck()
	switch a.Verb {
	case Wait, Retry, Force, Skip, Lost:
	case "":
		c.field("verb").wrong("is missing; use wait, retry, force, skip or lost")
	default:
		c.field("verb").wrong("is %q; use wait, retry, force, skip or lost", a.Verb)
	}
	if strings.TrimSpace(a.Reason) == "" {
		c.field("reason").wrong("is missing; say why, it is kept with the event")
	}
	c.field("reason").lines(a.Reason, MaxReason)
	c.field("by").text(a.By)
	switch {
	case a.Verb == Wait && a.For <= 0:
		c.field("for").wrong("is missing; say how much longer to wait, such as 10m")
	case a.Verb != Wait && a.For != 0:
		c.field("for").wrong("goes with wait alone")
	}
	if len(a.Confirm) > 0 && a.Verb != Force && a.Verb != Lost {
		c.field("confirm").wrong("goes with force and lost alone, where data is given up")
	}
	return c.err()
}

// CheckAgainst says everything that keeps the answer from being given to
// something stuck, as Problems: whether it is open there, and whether the data
// it gives up was named.
func (a *Answer) CheckAgainst(s *Stuck) error {
	c := newCheck()
	if !slices.Contains(s.Answers, a.Verb) {
		open := make([]string, len(s.Answers))
		for i, verb := range s.Answers {
			open[i] = string(verb)
		}
		c.field("verb").wrong("%s is no answer to this; use one of: %s", a.Verb, strings.Join(open, ", "))
	}
	if a.Verb != Force && a.Verb != Lost {
		return c.err()
	}
	for _, name := range s.Data {
		if !slices.Contains(a.Confirm, name) {
			c.field("confirm").wrong("the data of %s would be lost; repeat that name to confirm", name)
		}
	}
	for i, name := range a.Confirm {
		if !slices.Contains(s.Data, name) {
			c.field("confirm").item(i).wrong("%q is not among the data that would be lost", name)
		}
	}
	return c.err()
}
