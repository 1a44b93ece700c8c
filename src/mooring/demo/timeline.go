package demo

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"mooring/kits/redis/watch"
)

// width is how many columns the timeline has.
const width = 90

// counter remembers how a number grew.
type counter struct {
	lock   sync.Mutex
	points []point
}

type point struct {
	at    time.Time
	value int64
}

// count looks at a number every 100 ms until the context ends.
func count(ctx context.Context, value func() int64) *counter {
	c := &counter{}
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			c.lock.Lock()
			c.points = append(c.points, point{time.Now(), value()})
			c.lock.Unlock()
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return c
}

// at gives the number at a time, on the line between the looks before and
// after it.
func (c *counter) at(when time.Time) float64 {
	c.lock.Lock()
	defer c.lock.Unlock()
	var last point
	for _, p := range c.points {
		if p.at.After(when) {
			if last.at.IsZero() {
				return float64(p.value)
			}
			share := float64(when.Sub(last.at)) / float64(p.at.Sub(last.at))
			return float64(last.value) + share*float64(p.value-last.value)
		}
		last = p
	}
	return float64(last.value)
}

// draw prints who was down when, what happened, and how the writes went on.
func (s *story) draw(t watch.Timeline) {
	var out strings.Builder
	column := t.To.Sub(t.From) / width
	fmt.Fprintf(&out, "\n%-22s %s\n", "who served, from outside", axis(t.To.Sub(t.From), column))
	for _, index := range t.Indexes {
		fmt.Fprintf(&out, "%-24s %s\n", fmt.Sprintf("%s/%d %s", app, index, s.cells[index]), lane(t, index, column))
	}
	fmt.Fprintf(&out, "%-24s %s\n", "acknowledged writes", spark(t.From, column, s.writes.at))
	fmt.Fprintf(&out, "%-24s %s\n", "what happened", signs(t.From, column, s.tell.marks))
	fmt.Fprintf(&out, "%-24s %s\n\n", "", "█ did not serve   | cell rolled   ! handler flagged   K control plane killed   R resolved   X chaos")
	fmt.Fprint(s.config.Out, out.String())
}

// axis writes the seconds above their columns, as many as there is room for.
func axis(length, column time.Duration) string {
	line := []rune(strings.Repeat(" ", width+8))
	step := 10 * time.Second
	for step < 7*column {
		step *= 2
	}
	for at := time.Duration(0); at <= length; at += step {
		copy(line[int(at/max(1, column)):], []rune(fmt.Sprintf("%.0fs", at.Seconds())))
	}
	return strings.TrimRight(string(line), " ")
}

// lane draws one instance: a column is filled when it did not serve at any
// time of it.
func lane(t watch.Timeline, index int, column time.Duration) string {
	line := []rune(strings.Repeat("─", width))
	for _, span := range t.Of(index) {
		from, to := int(span.From.Sub(t.From)/max(1, column)), int(span.To.Sub(t.From)/max(1, column))
		for i := max(0, from); i <= min(to, width-1); i++ {
			line[i] = '█'
		}
	}
	return string(line)
}

// spark draws how much a number grew in each column.
func spark(from time.Time, column time.Duration, at func(time.Time) float64) string {
	levels := []rune(" ▁▂▃▄▅▆▇█")
	grown := make([]float64, width)
	most := 1.0
	for i := range grown {
		begin := from.Add(time.Duration(i) * column)
		grown[i] = at(begin.Add(column)) - at(begin)
		most = max(most, grown[i])
	}
	line := make([]rune, width)
	for i, n := range grown {
		line[i] = levels[int(n/most*float64(len(levels)-1))]
	}
	return string(line)
}

// signs puts what happened into its columns; a cell that rolled gives way to
// what is rarer.
func signs(from time.Time, column time.Duration, marks []mark) string {
	line := []rune(strings.Repeat(" ", width))
	for _, m := range marks {
		i := int(m.at.Sub(from) / max(1, column))
		if i >= 0 && i < width && (line[i] == ' ' || line[i] == '|') {
			line[i] = m.sign
		}
	}
	return string(line)
}
