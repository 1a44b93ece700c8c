package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"mooring/model"
)

// table prints rows in aligned columns under lowercase headers.
type table struct{ w *tabwriter.Writer }

func newTable(out io.Writer, headers ...string) *table {
	t := &table{tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)}
	t.write(headers)
	return t
}

// row adds a row; an empty cell is shown as "-".
func (t *table) row(cells ...any) {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		if texts[i] = model.Printable(fmt.Sprint(cell)); texts[i] == "" {
			texts[i] = "-"
		}
	}
	t.write(texts)
}

func (t *table) write(texts []string) { fmt.Fprintln(t.w, strings.Join(texts, "\t")) }

func (t *table) flush() error { return t.w.Flush() }

// facts prints names and values in two columns. Empty values are left out.
func facts(out io.Writer, pairs ...any) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i := 0; i < len(pairs); i += 2 {
		if value := model.Printable(fmt.Sprint(pairs[i+1])); value != "" {
			fmt.Fprintf(w, "%s:\t%s\n", pairs[i], value)
		}
	}
	return w.Flush()
}

// ago says how long something has been so, to the second below an hour; ""
// when it never was.
func ago(since, now time.Time) string {
	if since.IsZero() {
		return ""
	}
	return short(now.Sub(since))
}

// short gives a duration as people say it: "400ms", "12s", "3m20s", "2h5m",
// "3d4h".
func short(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Hour:
		return model.Duration(d.Round(time.Second)).String()
	case d < 24*time.Hour:
		return model.Duration(d.Round(time.Minute)).String()
	}
	d = d.Round(time.Hour)
	return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// clock gives the time of day of a moment, here.
func clock(at time.Time) string { return at.Local().Format("15:04:05") }

// moment gives the time of day of a moment, here, with the date unless that is
// today.
func moment(at, now time.Time) string {
	if at.Local().Format(time.DateOnly) == now.Local().Format(time.DateOnly) {
		return clock(at)
	}
	return at.Local().Format(time.DateTime)
}

// count gives "1 cell", "2 cells".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
