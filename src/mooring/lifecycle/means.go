package lifecycle

import "mooring/model"

// Meaning is the disruption that an action on a host means for one instance.
type Meaning struct {
	Kind model.Kind `json:"kind"`
	// Move: an interrupted instance comes back on another cell of its AZ, with
	// its floating volumes. A drained one always comes back on another cell;
	// Move says nothing about it.
	Move bool `json:"move,omitempty"`
	// Replace: the instance has no volume, so its replacement serves elsewhere
	// before it stops and no budget is spent.
	Replace bool `json:"replace,omitempty"`
}

// Means says which disruption an action means for an instance whose volumes
// are of the given classes, one for each volume in any order. No classes: the
// instance has no volume and is replaced first.
//
// The worst volume decides: one fixed volume that does not survive the action
// means a drain. One that does survive pins the instance to its cell, so that
// a floating volume beside it cannot move.
func Means(action model.Action, classes []model.Class, policy *model.Policy) Meaning {
	if len(classes) == 0 {
		return Meaning{Kind: model.Interrupt, Replace: true}
	}
	pinned := false
	for _, class := range classes {
		if class.Floating {
			continue
		}
		if class.Survives.Rank() < action.Rank() {
			return Meaning{Kind: model.Drain}
		}
		pinned = true
	}
	stay := pinned || policy.Floating == model.FloatingStay
	return Meaning{Kind: model.Interrupt, Move: !stay}
}
