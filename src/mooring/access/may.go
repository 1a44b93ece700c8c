package access

import (
	"fmt"
	"slices"
	"strings"

	"mooring/model"
)

// Right is what can be done to something.
type Right string

// The rights, as refusals say them.
const (
	Look     Right = "look at"
	ReadLogs Right = "read the logs of"
	ReadEnv  Right = "read the environment of"
	Change   Right = "change"
	Plan     Right = "start or steer"
	Answer   Right = "answer"
	Speak    Right = "speak as"
	Gate     Right = "ask at the gate of"
	Watch    Right = "watch" // a plan, which a cell at its gate waits for
	Scrape   Right = "read"  // metrics
)

// Object is what a right is about. The zero value is nothing in particular.
type Object struct {
	// What names it in refusals.
	What string
	// Org and Space are those of an app or a volume set.
	Org, Space string
	CellID     string
	// Verb is the answer to something stuck.
	Verb model.Verb
	// Somewhere asks only whether the actor has the right on anything at all:
	// what it is about is not known yet.
	Somewhere bool
}

// App is an app, or a volume set.
func App(name model.Name) Object {
	return Object{What: "app " + name.String(), Org: name.Org, Space: name.Space}
}

// VolumeSet is a volume set.
func VolumeSet(name model.Name) Object {
	return Object{What: "volume set " + name.String(), Org: name.Org, Space: name.Space}
}

// OnCell is a cell.
func OnCell(id string) Object { return Object{What: "cell " + id, CellID: id} }

// Thing is something that no role is bounded by, such as "plan kernel".
func Thing(what string) Object { return Object{What: what} }

// Somewhere is for a right on something that is not known yet.
func Somewhere(what string) Object { return Object{What: what, Somewhere: true} }

// Stuck is an answer to something stuck.
func Stuck(item *model.Stuck, verb model.Verb) Object {
	object := Object{What: fmt.Sprintf("%s with %s", item.ID, verb), Verb: verb, CellID: item.CellID}
	if item.App != nil {
		object.Org, object.Space = item.App.Org, item.App.Space
	}
	return object
}

// Denied is the refusal of a right.
type Denied struct {
	Actor  string
	Right  Right
	Object string
	// Takes says which roles have the right.
	Takes string
}

// Error says who may not do what, and who may.
func (d *Denied) Error() string {
	return fmt.Sprintf("%s may not %s %s: that takes %s", d.Actor, d.Right, d.Object, d.Takes)
}

// May says whether an actor has a right on something: nil, or a *Denied.
func May(actor *Actor, right Right, on Object) error {
	if slices.ContainsFunc(actor.Roles, func(role Role) bool { return role.gives(right, on) }) {
		return nil
	}
	return &Denied{Actor: actor.String(), Right: right, Object: on.What, Takes: takes(right, on)}
}

// gives reports whether a role has a right on something.
func (r Role) gives(right Right, on Object) bool {
	switch r.Kind {
	case Operator:
		return right != Speak
	case Developer:
		switch right {
		case Look, Watch:
			return true
		case ReadLogs, ReadEnv, Change:
			return r.covers(on)
		case Answer:
			return r.covers(on) && (on.Somewhere || slices.Contains(developersVerbs, on.Verb))
		}
	case Auditor:
		return right == Look || right == Watch || right == ReadLogs || right == Scrape
	case Cell:
		return right == Watch || (right == Speak || right == Gate) && (r.CellID == "" || r.CellID == on.CellID)
	case Scraper:
		return right == Scrape
	}
	return false
}

// developersVerbs are the answers that concern an app alone. To leave out a
// cell, or to give it up, is for those who run cells.
var developersVerbs = []model.Verb{model.Wait, model.Retry, model.Force}

// covers reports whether an app is one of a developer's.
func (r Role) covers(on Object) bool {
	return on.Somewhere || r.Org == on.Org && (r.Space == "" || r.Space == on.Space)
}

// takes names the roles that have a right on something.
func takes(right Right, on Object) string {
	roles := []string{string(Operator)}
	developer := Role{Kind: Developer, Org: on.Org, Space: on.Space}
	if on.Org == "" {
		developer = Role{Kind: Developer, Org: "ORG", Space: "SPACE"}
	}
	if developer.gives(right, on) {
		roles = append(roles, developer.String())
	}
	switch right {
	case Look, Watch, ReadLogs:
		roles = append(roles, string(Auditor))
	case Scrape:
		roles = append(roles, string(Auditor), string(Scraper))
	case Gate:
		roles = append(roles, Role{Kind: Cell, CellID: on.CellID}.String())
	case Speak:
		roles = []string{Role{Kind: Cell, CellID: on.CellID}.String()}
	}
	if len(roles) == 1 {
		return "the role " + roles[0]
	}
	return "one of the roles " + strings.Join(roles, ", ")
}
