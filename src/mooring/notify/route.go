package notify

import (
	"slices"

	"mooring/model"
)

// Match chooses what is stuck: every field that is given must agree. The zero
// value takes everything. What concerns no app (a cell that is gone) is not
// taken where org, space or app is given.
type Match struct {
	Severity []model.Severity  `json:"severity"`
	Kind     []model.StuckKind `json:"kind"`
	Org      string            `json:"org"`
	Space    string            `json:"space"`
	App      string            `json:"app"`
}

// Takes reports whether something stuck is chosen.
func (m Match) Takes(stuck *model.Stuck) bool {
	if len(m.Severity) > 0 && !slices.Contains(m.Severity, stuck.Kind.Severity()) {
		return false
	}
	if len(m.Kind) > 0 && !slices.Contains(m.Kind, stuck.Kind) {
		return false
	}
	var name model.Name
	if stuck.App != nil {
		name = *stuck.App
	}
	for _, field := range [][2]string{{m.Org, name.Org}, {m.Space, name.Space}, {m.App, name.Name}} {
		if field[0] != "" && field[0] != field[1] {
			return false
		}
	}
	return true
}

// Route sends what Match chooses to receivers.
type Route struct {
	Match     Match    `json:"match"`
	Receivers []string `json:"receivers"`
}

// Routes says who hears of what: everybody whom any route names.
type Routes []Route

// To reports whether a receiver is to hear of something stuck.
func (r Routes) To(receiver string, stuck *model.Stuck) bool {
	return slices.ContainsFunc(r, func(route Route) bool {
		return slices.Contains(route.Receivers, receiver) && route.Match.Takes(stuck)
	})
}
