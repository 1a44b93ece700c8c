// Package chart draws a plan as one page that needs nothing else: no server, no
// network, no other file. It shows every roll on a timeline by AZ and update
// domain, and stays readable at ten thousand cells by zooming both ways.
package chart

import (
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// Plan is what the page shows.
type Plan struct {
	Title string
	// Facts are shown above the timeline, in order.
	Facts []Fact
	// Bound is the shortest that the policies allow, Expected when the plan ends
	// and Longest the end of its range; each is a line in the timeline, 0 is none.
	Bound, Expected, Longest time.Duration
	Rolls                    []Roll
	Never                    []Never
	// AtRisk names the volumes whose data would be lost by force.
	AtRisk   []string
	Warnings []string
}

// Fact is a figure with its name, and what it means for the reader.
type Fact struct{ Name, Value, Note string }

// Roll is when a cell is in roll, counted from the plan's start.
type Roll struct {
	Cell, AZ, Domain string
	From, To         time.Duration
}

// Never is a cell that can never roll, and why.
type Never struct{ Cell, Why string }

// group is the rolls of an update domain, which lie together.
type group struct {
	AZ     string  `json:"az"`
	Domain string  `json:"domain"`
	Cells  int     `json:"cells"`
	From   float64 `json:"from"` // seconds
	To     float64 `json:"to"`
}

// Begin and End are for people.
func (g group) Begin() string { return clock(g.From) }

// End is when the last of the group is done.
func (g group) End() string { return clock(g.To) }

// series is the rolls by column, sorted by group and by time in it: half the
// size of a list of objects, and as the page uses them.
type series struct {
	Groups []group   `json:"groups"`
	Cells  []string  `json:"cells"`
	From   []float64 `json:"from"` // seconds
	To     []float64 `json:"to"`
	Lines  []mark    `json:"lines"`
}

type mark struct {
	Name string  `json:"name"`
	At   float64 `json:"at"` // seconds
}

//go:embed page
var files embed.FS

var page = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"css": func() (template.CSS, error) {
		content, err := files.ReadFile("page/page.css")
		return template.CSS(content), err // our own, not a reader's
	},
	"js": func() (template.JS, error) {
		var all strings.Builder
		for _, name := range []string{"view.js", "draw.js", "main.js"} {
			content, err := files.ReadFile("page/" + name)
			if err != nil {
				return "", err
			}
			all.Write(content)
		}
		return template.JS(all.String()), nil // our own too
	},
}).ParseFS(files, "page/page.html"))

// Write writes the page.
func Write(w io.Writer, plan *Plan) error {
	err := page.Execute(w, struct {
		*Plan
		Series series
	}{plan, arrange(plan)})
	if err != nil {
		return fmt.Errorf("write the timeline of %s: %w", plan.Title, err)
	}
	return nil
}

func arrange(plan *Plan) series {
	rolls := slices.Clone(plan.Rolls)
	slices.SortStableFunc(rolls, func(a, b Roll) int {
		return cmp.Or(cmp.Compare(a.AZ, b.AZ), byNumber(a.Domain, b.Domain), cmp.Compare(a.From, b.From), cmp.Compare(a.Cell, b.Cell))
	})
	s := series{Groups: []group{}, Cells: []string{}, From: []float64{}, To: []float64{}, Lines: []mark{}}
	for _, roll := range rolls {
		from, to := seconds(roll.From), seconds(roll.To)
		s.Cells, s.From, s.To = append(s.Cells, roll.Cell), append(s.From, from), append(s.To, to)
		last := len(s.Groups) - 1
		if last < 0 || s.Groups[last].AZ != roll.AZ || s.Groups[last].Domain != roll.Domain {
			s.Groups = append(s.Groups, group{AZ: roll.AZ, Domain: roll.Domain, From: from})
			last++
		}
		g := &s.Groups[last]
		g.Cells, g.To = g.Cells+1, max(g.To, to)
	}
	for _, line := range []struct {
		name string
		at   time.Duration
	}{{"bound", plan.Bound}, {"expected", plan.Expected}, {"longest", plan.Longest}} {
		if line.at > 0 {
			s.Lines = append(s.Lines, mark{line.name, seconds(line.at)})
		}
	}
	return s
}

// byNumber compares "d2" and "d10" as people do.
func byNumber(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// seconds are exact enough for a picture, and short to write.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }

// clock gives seconds as hours, minutes and seconds.
func clock(s float64) string {
	whole := int(s)
	return fmt.Sprintf("%d:%02d:%02d", whole/3600, whole/60%60, whole%60)
}
