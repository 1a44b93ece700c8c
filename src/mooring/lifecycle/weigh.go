package lifecycle

import (
	"fmt"

	"mooring/model"
)

// weight is what one demand costs the app.
type weight int

const (
	free    weight = iota // the service notices nothing
	costs                 // it spends budget
	refused               // whatever the budget says
)

// weighing is the weight of one demand with its reason.
type weighing struct {
	weight  weight
	forever bool   // a refusal that does not end by itself
	text    string // why it is refused
}

// weigh says what a demand would cost, before any budget is looked at. It is
// where the edges of the contract are.
func (c *Crew) weigh(d model.Demand) weighing {
	m := c.Member(d.Index)
	if m == nil {
		return weighing{weight: refused, text: "it is gone; ask anew"}
	}
	if m.Permit != nil && !m.comingBack() {
		return weighing{weight: refused, text: fmt.Sprintf("%s holds its permit (%s, %s)", m.Permit.Holder, m.Permit.Kind, m.Permit.Step)}
	}
	if m.Crashed {
		if d.Kind == model.Drain && m.HasData && !d.Force {
			return weighing{weight: refused, forever: true,
				text: "it is " + m.trouble() + " and keeps data that nobody can hand over; start it, or give its data up by force"}
		}
		return weighing{weight: free} // it is down already
	}
	switch m.State {
	case model.Starting, model.Soaking, model.Stopped, "":
		return weighing{weight: refused, text: "it is " + m.trouble() + " and is left alone until it serves"}
	}
	if c.App.Deleting && d.Kind == model.Interrupt {
		return weighing{weight: free} // nobody counts on it any more
	}
	return weighing{weight: costs}
}

// comingBack reports whether a member with a permit crashed where that permit
// had already let it run again. Such a permit can be taken over: otherwise an instance
// that does not come back would block the repair of its own host, and the new
// version that would cure it.
func (m *Member) comingBack() bool {
	returned := m.Permit.Want == model.WantBack || m.CellID != "" && m.CellID != m.Permit.CellID
	return m.Crashed && returned
}

// trouble says in words why a member does not serve; it follows "it is".
func (m *Member) trouble() string {
	switch {
	case m.CellID == "":
		return "placed nowhere"
	case m.Crashed && m.State != model.Crashed && m.State != model.Blocked && m.State != model.Stopped:
		return "on cell " + m.CellID + ", which does not answer"
	case m.State == "":
		return "about to start on cell " + m.CellID
	case m.State == model.Serving:
		return "being removed"
	}
	return string(m.State)
}

// describe says in words how a member that is in the way stands.
func (m *Member) describe() string {
	if m.Permit != nil {
		return fmt.Sprintf("/%d (%s for %s)", m.Index, m.Permit.Kind, m.Permit.Holder)
	}
	return fmt.Sprintf("/%d (%s)", m.Index, m.trouble())
}
