package model

import (
	"fmt"
	"strings"
)

// ParseRollHolder reads the plan and the cell from what RollHolder made of
// them; it is not ok for every other holder.
func ParseRollHolder(holder string) (plan, cell string, ok bool) {
	name, roll := strings.CutPrefix(holder, "roll:")
	if plan, cell, ok = strings.Cut(name, "/"); !roll || !ok {
		return "", "", false
	}
	return plan, cell, true
}

// DescribeHolder says for people who holds a permit of an app, which is written
// as org/space/name.
func DescribeHolder(holder, app string) string {
	kind, _, _ := strings.Cut(holder, ":")
	switch plan, cell, roll := ParseRollHolder(holder); {
	case roll:
		return fmt.Sprintf("the roll of %s in plan %s", cell, plan)
	case kind == "update":
		return fmt.Sprintf("the update of %s", app)
	case kind == "scale":
		return fmt.Sprintf("the scale-down of %s", app)
	}
	return holder
}
