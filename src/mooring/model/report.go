package model

import (
	"fmt"
	"regexp"
)

// Bounds of a report: what one cell can have.
const (
	// MaxReportedInstances and MaxReportedVolumes bound what one cell reports.
	MaxReportedInstances = 4000
	MaxReportedVolumes   = 8000
)

// identity is what may name a record that a cell reports on: it becomes a
// segment of a key.
var identity = regexp.MustCompile(`^[A-Za-z0-9][-_.A-Za-z0-9]{0,127}$`)

// Validate says everything that is wrong with a report, as Problems: what no
// agent says of itself, however old or new it is. What an instance wrote is
// never wrong; Bounded brings it within bounds.
func (r *Report) Validate() error {
	c := newCheck()
	if len(r.Instances) > MaxReportedInstances {
		c.field("instances").wrong("are %d; a cell reports at most %d", len(r.Instances), MaxReportedInstances)
		return c.err()
	}
	if len(r.Volumes) > MaxReportedVolumes {
		c.field("volumes").wrong("are %d; a cell reports at most %d", len(r.Volumes), MaxReportedVolumes)
		return c.err()
	}
	places := map[InstanceRef]bool{}
	for i := range r.Instances {
		at, of := c.field("instances").item(i), InstanceRef{r.Instances[i].AppGUID, r.Instances[i].Index}
		r.Instances[i].check(at)
		if places[of] {
			at.wrong("instance %d of app %s is there twice; report each once", of.Index, Printable(of.AppGUID))
		}
		places[of] = true
	}
	volumes := map[string]bool{}
	for i := range r.Volumes {
		at := c.field("volumes").item(i)
		r.Volumes[i].check(at)
		if volumes[r.Volumes[i].GUID] {
			at.field("guid").wrong("is there twice; report each volume once")
		}
		volumes[r.Volumes[i].GUID] = true
	}
	return c.err()
}

func (a *ActualInstance) check(c check) {
	c.field("app_guid").identity(a.AppGUID)
	if a.GUID != "" { // nothing has been started yet
		c.field("guid").identity(a.GUID)
	}
	if a.Index < 0 || a.Index >= MaxInstances {
		c.field("index").wrong("is %d; indexes go from 0 to %d", a.Index, MaxInstances-1)
	}
	c.field("state").token(string(a.State))
	c.field("started_after").token(string(a.StartedAfter))
	for _, n := range []struct {
		name string
		n    int
	}{{"spec_version", a.SpecVersion}, {"pid", a.PID}, {"restarts", a.Restarts}} {
		if n.n < 0 {
			c.field(n.name).wrong("is %d; it cannot be less than 0", n.n)
		}
	}
	if a.Disruption != nil {
		a.Disruption.check(c.field("disruption"))
	}
}

func (d *ActualDisruption) check(c check) {
	if err := CheckText(d.PermitID, MaxText); err != nil {
		c.field("permit_id").wrong("%v", err)
	}
	c.field("state").token(string(d.State))
	c.field("cancel").token(string(d.Cancel))
	if d.Attempt < 0 {
		c.field("attempt").wrong("is %d; it cannot be less than 0", d.Attempt)
	}
	if d.Progress < -1 || d.Progress > 1 {
		c.field("progress").wrong("is %g; it lies between 0 and 1, or is -1 before any", d.Progress)
	}
	if d.Grace < 0 {
		c.field("grace").wrong("is %s; it cannot be less than no time", d.Grace)
	}
}

func (v *ActualVolume) check(c check) {
	c.field("guid").identity(v.GUID)
	c.field("class").token(v.Class)
	c.field("state").token(string(v.State))
	if v.Epoch < 0 {
		c.field("epoch").wrong("is %d; it cannot be less than 0", v.Epoch)
	}
	if v.Used < 0 {
		c.field("used").wrong("is less than nothing")
	}
}

// identity notes a problem unless text can be a segment of a key.
func (c check) identity(text string) {
	if !identity.MatchString(text) {
		c.wrong("%s is not an identity; use 1 to 128 letters, digits, '.', '-' and '_', beginning with a letter or digit", quoted(text))
	}
}

// token notes a problem unless text is empty or a short word. Newer cells may
// have words that this version does not know.
func (c check) token(text string) {
	if text != "" && CheckWord("it", text) != nil {
		c.wrong("is %s; use a word of at most 63 letters, digits and '-'", quoted(text))
	}
}

// quoted shows a value that was refused, as much of it as helps.
func quoted(text string) string { return fmt.Sprintf("%q", Shorten(text, 80)) }

// Bounded returns what is reported of an instance with its texts printable and
// within bounds. What is left out is said in its place. The agent and the
// control plane both apply it: the one so that its reports can be carried, the
// other since it does not know who wrote them. Bounding it again changes
// nothing.
func (a ActualInstance) Bounded() ActualInstance {
	a.LastExit, a.Error, a.Output = BoundLine(a.LastExit), BoundError(a.Error), BoundTail(a.Output)
	if a.Disruption != nil {
		told := *a.Disruption
		told.Message, told.Error, told.Output = BoundLine(told.Message), BoundError(told.Error), BoundTail(told.Output)
		told.CancelError = BoundError(told.CancelError)
		a.Disruption = &told
	}
	return a
}

// Bounded is as ActualInstance.Bounded.
func (v ActualVolume) Bounded() ActualVolume {
	v.Error = BoundError(v.Error)
	return v
}
