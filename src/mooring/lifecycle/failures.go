package lifecycle

import (
	"fmt"

	"mooring/model"
)

// Place is where one instance of an app is.
type Place struct{ Cell, AZ string }

// Scope is how much fails at once.
type Scope string

// What can fail.
const (
	OneInstance Scope = "instance"
	OneCell     Scope = "cell"
	OneAZ       Scope = "az"
)

// Failure is what becomes of an app when something breaks while nothing else
// is disrupted.
type Failure struct {
	Scope Scope `json:"scope" enum:"instance,cell,az"`
	// Where is the worst of its kind: the cell or the AZ with most instances.
	Where string `json:"where,omitempty"`
	// Down is how many instances are then down.
	Down int `json:"down"`
	// Within: no more are down than the policy lets be interrupted at once, so
	// that the service is as well off as in maintenance.
	Within bool `json:"within"`
	// Left is how many more may be interrupted meanwhile. At 0 the rolls of all
	// cells that have one wait.
	Left int `json:"left"`
	// Lost is how many instances' data is gone if what failed never returns,
	// not counting what is disposable.
	Lost int    `json:"lost"`
	Text string `json:"text"`
}

// Failures says what an app with a policy, volumes of the given classes and
// its instances at some places can stand: the failure of one instance, of one
// cell, of one AZ. Without places it says so of one instance alone.
func Failures(policy *model.Policy, n int, classes []model.Class, places []Place) []Failure {
	if n < 1 {
		return nil
	}
	filled := policy.WithDefaults()
	x := &standing{policy: &filled, n: n, fixed: anyFixed(classes), volumes: len(classes) > 0}
	failures := []Failure{x.failure(OneInstance, "", 1)}
	for _, scope := range []Scope{OneCell, OneAZ} {
		if where, down := most(places, scope); down > 0 {
			failures = append(failures, x.failure(scope, where, down))
		}
	}
	return failures
}

// most gives the cell or the AZ with most of the places, the first by name.
func most(places []Place, scope Scope) (where string, down int) {
	counts := map[string]int{}
	for _, place := range places {
		name := place.Cell
		if scope == OneAZ {
			name = place.AZ
		}
		if name != "" {
			counts[name]++
		}
	}
	for name, count := range counts {
		if count > down || count == down && name < where {
			where, down = name, count
		}
	}
	return where, down
}

func anyFixed(classes []model.Class) bool {
	for _, class := range classes {
		if !class.Floating {
			return true
		}
	}
	return false
}

// standing is an app whose parts may fail.
type standing struct {
	policy         *model.Policy
	n              int
	fixed, volumes bool
}

func (x *standing) failure(scope Scope, where string, down int) Failure {
	limits := LimitsOf(x.policy, x.n)
	limit := min(limits.Interrupted, limits.Disrupted)
	f := Failure{Scope: scope, Where: where, Down: down, Within: down <= limit, Left: max(0, limit-down)}
	what := "one instance fails"
	if scope != OneInstance {
		what = fmt.Sprintf("%s %s fails", scope, where)
	}
	f.Text = fmt.Sprintf("%s: %d of %d down, ", what, down, x.n)
	switch {
	case down == x.n:
		f.Text += "the service is gone until it is back"
	case f.Within:
		f.Text += fmt.Sprintf("no more than max_interrupted allows (%d)", limit)
	default:
		f.Text += fmt.Sprintf("more than the %d that max_interrupted allows", limit)
	}
	if f.Left == 0 {
		f.Text += "; rolls of every other cell that has one wait"
	} else {
		f.Text += fmt.Sprintf("; rolls go on with %d at once", f.Left)
	}
	if scope == OneInstance {
		return f
	}
	if x.fixed && !x.policy.DataDisposable {
		f.Lost = down
	}
	f.Text += "; " + x.data(scope, down)
	return f
}

// data says what becomes of the instances and their data if what failed never
// returns.
func (x *standing) data(scope Scope, down int) string {
	switch {
	case x.fixed && x.policy.DataDisposable:
		return fmt.Sprintf("declared lost, %d start anew elsewhere, without data that was disposable", down)
	case x.fixed:
		return fmt.Sprintf("declared lost, the data of %d is gone and they start anew elsewhere", down)
	case x.volumes && scope == OneAZ:
		return "their volumes float within the zone and wait for it"
	case x.volumes:
		return "their volumes float to other cells of the zone, with the data"
	}
	return "they are started anew elsewhere"
}
