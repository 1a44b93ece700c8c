// Package replay audits a simulated plan from the outside: it reads the fleet
// file and the lines that came of it, and plays them back, event by event and
// instance by instance. It shares no code with the planner, nor with what reads
// fleets for it.
package replay

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strconv"
	"strings"
)

// Report is what a replay found.
type Report struct {
	Rolls int
	// Makespan is when the last roll ended, in seconds.
	Makespan float64
	// Bound is a lower bound of the replay's own: the longest roll, or the
	// work on an app's cells over its limit.
	Bound float64
	// Breaches are in words, the first ones only; Count counts all.
	Breaches []string
	Count    int
}

const told = 20 // breaches that are put in words

func (r *Report) breach(format string, args ...any) {
	if r.Count++; r.Count <= told {
		r.Breaches = append(r.Breaches, fmt.Sprintf(format, args...))
	}
}

type fleet struct {
	Cells []struct{ ID, AZ string }
	Apps  []app
	Rolls map[string]float64

	MaxInFlight any     `json:"max_in_flight"`
	Canaries    int     `json:"canaries"`
	AZSerial    bool    `json:"az_serial"`
	MoveS       float64 `json:"move_s"`
	Failures    []struct {
		Cell string  `json:"cell"`
		At   float64 `json:"at_s"`
		For  float64 `json:"for_s"`
	}
}

type app struct {
	Name           string
	Instances      int
	MaxInterrupted any `json:"max_interrupted"`
	Kind           string
	MoveS          float64 `json:"move_s"`
	Cells          []string
}

// limit reads a count or a share of n, which is at least 1.
func limit(value any, n int) int {
	switch v := value.(type) {
	case float64:
		return min(int(v), n)
	case string:
		if share, ok := strings.CutSuffix(v, "%"); ok {
			percent, _ := strconv.Atoi(share)
			if percent == 0 {
				return 0
			}
			return max(1, n*percent/100)
		}
		count, _ := strconv.Atoi(v)
		return min(count, n)
	}
	return 0
}

type roll struct {
	Cell       string
	Start, End float64
}

func read(fleetFile, lines io.Reader) (*fleet, []roll, error) {
	f := &fleet{}
	if err := json.NewDecoder(fleetFile).Decode(f); err != nil {
		return nil, nil, fmt.Errorf("replay: read the fleet: %w", err)
	}
	var rolls []roll
	decoder := json.NewDecoder(bufio.NewReader(lines))
	for {
		var line struct {
			Cell    string
			Start   float64 `json:"start_s"`
			End     float64 `json:"end_s"`
			Summary bool
		}
		switch err := decoder.Decode(&line); {
		case errors.Is(err, io.EOF):
			return f, rolls, nil
		case err != nil:
			return nil, nil, fmt.Errorf("replay: read roll %d: %w", len(rolls)+1, err)
		case !line.Summary:
			rolls = append(rolls, roll{line.Cell, line.Start, line.End})
		}
	}
}

// Check replays the lines of a simulation of a fleet.
func Check(fleetFile, lines io.Reader) (*Report, error) {
	f, rolls, err := read(fleetFile, lines)
	if err != nil {
		return nil, err
	}
	report := &Report{Rolls: len(rolls)}
	at := map[string][][2]int{} // cell: its (app, index)
	for a, app := range f.Apps {
		for i, cell := range app.Cells {
			at[cell] = append(at[cell], [2]int{a, i})
		}
	}
	report.durations(f, rolls, at)
	report.gates(f, rolls)
	report.budgets(f, rolls, at)
	return report, nil
}

// durations holds the rolls against the true durations and makes the bound.
func (r *Report) durations(f *fleet, rolls []roll, at map[string][][2]int) {
	seen := map[string]bool{}
	for _, roll := range rolls {
		want, known := f.Rolls[roll.Cell]
		switch {
		case !known:
			r.breach("%s is rolled, but has no duration", roll.Cell)
		case seen[roll.Cell]:
			r.breach("%s is rolled twice", roll.Cell)
		case math.Abs(roll.End-roll.Start-want) > 1e-6:
			r.breach("%s takes %v s, not %v s", roll.Cell, roll.End-roll.Start, want)
		case roll.Start < 0:
			r.breach("%s starts at %v s", roll.Cell, roll.Start)
		}
		seen[roll.Cell] = true
		r.Makespan = max(r.Makespan, roll.End)
	}
	work := make([]float64, len(f.Apps))
	for cell, d := range f.Rolls {
		if f.forbids(at[cell]) {
			if seen[cell] {
				r.breach("%s is rolled, but an app on it forbids it for ever", cell)
			}
			continue
		}
		if !seen[cell] {
			r.breach("%s is not rolled", cell)
		}
		r.Bound = max(r.Bound, d)
		ahead := map[int]int{} // instances of the app that move before
		for _, place := range at[cell] {
			a, since := place[0], 0.0
			if f.Apps[a].Kind != "fixed" {
				since = f.move(a) * float64(ahead[a]/max(1, f.limit(a)))
				ahead[a]++
			}
			work[a] += min(max(0, d-since), f.move(a))
		}
	}
	for a := range f.Apps {
		if l := f.limit(a); l > 0 {
			r.Bound = max(r.Bound, work[a]/float64(l))
		}
	}
}

// limit is how many instances of an app may be away.
func (f *fleet) limit(a int) int { return limit(f.Apps[a].MaxInterrupted, f.Apps[a].Instances) }

// forbids reports whether what is on a cell keeps it from ever rolling: an app
// that allows nothing, or that stays and allows less than is there.
func (f *fleet) forbids(places [][2]int) bool {
	on := map[int]int{}
	for _, place := range places {
		a := place[0]
		on[a]++
		switch l, kind := f.limit(a), f.Apps[a].Kind; {
		case kind == "fixed" && on[a] > l, l == 0:
			return true
		}
	}
	return false
}

// move is how long an instance of an app is away at most: for ever, unless it
// moves.
func (f *fleet) move(a int) float64 {
	app := &f.Apps[a]
	switch {
	case app.Kind == "fixed":
		return math.Inf(1)
	case app.MoveS > 0:
		return app.MoveS
	case f.MoveS > 0:
		return f.MoveS
	}
	return 30
}

// event is an instance that goes away (+1) or is back (-1).
type event struct {
	at         float64
	change     int8
	planned    bool
	app, index int32
}

// moment rounds to the microsecond: sums of seconds that stand for one moment
// must be one.
func moment(s float64) float64 { return math.Round(s*1e6) / 1e6 }

// budgets plays every instance's going and coming and counts at each start.
func (r *Report) budgets(f *fleet, rolls []roll, at map[string][][2]int) {
	var events []event
	span := func(place [2]int, from, to float64, planned bool) {
		a, i := int32(place[0]), int32(place[1])
		events = append(events, event{moment(from), 1, planned, a, i}, event{moment(to), -1, false, a, i})
	}
	for _, roll := range rolls {
		on, turn := map[int]int{}, map[int]int{}
		for _, place := range at[roll.Cell] {
			on[place[0]]++
		}
		for _, place := range at[roll.Cell] {
			a, turns := place[0], 1.0
			if l := f.limit(a); f.Apps[a].Kind != "fixed" && l > 0 && on[a] > l {
				// They move one after another, on as many places as there are.
				if turn[a]++; turn[a] > l {
					continue
				}
				turns = math.Ceil(float64(on[a]) / float64(l))
			}
			span(place, roll.Start, min(roll.End, roll.Start+turns*f.move(a)), true)
		}
	}
	for _, failure := range f.Failures {
		for _, place := range at[failure.Cell] {
			span(place, failure.At, min(failure.At+failure.For, failure.At+f.move(place[0])), false)
		}
	}
	sort.Slice(events, func(i, j int) bool {
		if events[i].at != events[j].at {
			return events[i].at < events[j].at
		}
		return events[i].change < events[j].change
	})
	reasons := make([][]int8, len(f.Apps)) // per app and index: reasons to be away
	away := make([]int, len(f.Apps))
	for a, app := range f.Apps {
		reasons[a] = make([]int8, len(app.Cells))
	}
	for i := 0; i < len(events); {
		now, started := events[i].at, map[int32]bool{}
		for ; i < len(events) && events[i].at == now; i++ {
			e := events[i]
			before := reasons[e.app][e.index] > 0
			reasons[e.app][e.index] += e.change
			switch after := reasons[e.app][e.index] > 0; {
			case after && !before:
				away[e.app]++
			case before && !after:
				away[e.app]--
			}
			if e.planned {
				started[e.app] = true
			}
		}
		for a := range started {
			app := &f.Apps[a]
			if l := f.limit(int(a)); away[a] > l {
				r.breach("at %v s %s has %d instances away, of at most %d", now, app.Name, away[a], l)
			}
		}
	}
}

// gates holds the starts against max_in_flight, canaries and az_serial.
func (r *Report) gates(f *fleet, rolls []roll) {
	az := map[string]string{}
	for _, cell := range f.Cells {
		az[cell.ID] = cell.AZ
	}
	byStart := append([]roll(nil), rolls...)
	sort.SliceStable(byStart, func(i, j int) bool { return byStart[i].Start < byStart[j].Start })
	ceiling := limit(f.MaxInFlight, len(f.Cells))
	lastEnd, firstStart := map[string]float64{}, map[string]float64{}
	var ends []float64 // of those in flight
	for i, roll := range byStart {
		open := ends[:0]
		for _, end := range ends {
			if end > roll.Start {
				open = append(open, end)
			}
		}
		ends = append(open, roll.End)
		if ceiling > 0 && len(ends) > ceiling {
			r.breach("at %v s %d cells are in roll, of at most %d", roll.Start, len(ends), ceiling)
		}
		if f.Canaries > 0 && i <= f.Canaries && len(ends) > 1 {
			r.breach("at %v s %s starts beside a canary", roll.Start, roll.Cell)
		}
		zone := az[roll.Cell]
		if _, known := firstStart[zone]; !known {
			firstStart[zone] = roll.Start
		}
		lastEnd[zone] = max(lastEnd[zone], roll.End)
	}
	for x := range firstStart {
		for y := range firstStart {
			if f.AZSerial && firstStart[x] < firstStart[y] && lastEnd[x] > firstStart[y] {
				r.breach("AZ %s starts at %v s, before AZ %s has ended at %v s", y, firstStart[y], x, lastEnd[x])
			}
		}
	}
}
