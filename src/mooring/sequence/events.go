package sequence

import "time"

// eventKind orders what happens at one moment: what gives back comes first.
type eventKind uint8

const (
	ends     eventKind = iota // a roll ends
	moved                     // a roll gives one app back
	recovers                  // a failed cell, or instances that it had, serve again
	fails                     // a cell fails
	opens                     // rolls may start again
)

type event struct {
	at    time.Duration
	until time.Duration // fails: when the cell is back
	cell  int
	app   int
	kind  eventKind
}

// events is a heap by time, then kind, then cell.
type events []event

func (e events) Len() int      { return len(e) }
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e events) Less(i, j int) bool {
	switch a, b := &e[i], &e[j]; {
	case a.at != b.at:
		return a.at < b.at
	case a.kind != b.kind:
		return a.kind < b.kind
	default:
		return a.cell < b.cell
	}
}

func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
