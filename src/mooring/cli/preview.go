package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/model"
)

func previewCommand() *cli.Command {
	return command(operators, "preview", "[PLAN]", "say what a plan would do; nothing is changed",
		`PLAN is a file. The same brain that executes plans says how many cells roll at
once and when it ends, as a range from measured durations, which policy is the
bottleneck and what one more would buy, and every cell that can never roll with
the instance, the policy and the owner that forbid it.

Examples:
   moor preview plan.yml
   moor preview --cells all --action recreate
   moor preview plan.yml --html plan.html
   moor preview plan.yml --az z1 --json`,
		planFlags(jsonFlag, &cli.StringFlag{Name: "html", Usage: "also write the timeline to `FILE`, as a page for a browser"}), func(s *session) error {
			wanted, err := s.plan()
			if err != nil {
				return err
			}
			preview, err := s.api.Preview(s.ctx(), wanted)
			if err != nil {
				return err
			}
			if printed, err := s.json(preview); printed || err != nil {
				return err
			}
			s.say("plan %s: %s %s", wanted.Name, wanted.Action, count(len(preview.Order), "cell"))
			if err := s.showPreview(preview); err != nil || s.String("html") == "" {
				return err
			}
			return s.drawPreview(s.String("html"), &wanted, preview)
		})
}

func (s *session) showPreview(p *client.Preview) error {
	err := facts(s.out,
		"at once", "at most "+count(p.AtOnce, "cell"),
		"ends", s.endsText(p),
		"order", orderText(p),
		"bound", fmt.Sprintf("%s at least, in any order", p.Bound),
		"bottleneck", p.Bottleneck,
		"raised", raiseText(p.Raise),
		"foresight", foresightText(p.Foresight),
	)
	if err != nil {
		return err
	}
	if err := s.showTimeline(p.Timeline); err != nil {
		return err
	}
	if len(p.Never) > 0 {
		s.say("\n%s can never roll:", count(len(p.Never), "cell"))
		t := newTable(s.out, "cell", "instance", "limit", "owner", "why")
		for _, f := range p.Never {
			t.row(f.CellID, f.Instance, f.Limit, f.Owner, f.Text)
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	if len(p.DataAtRisk) > 0 {
		named, more := p.DataAtRisk, ""
		if len(named) > fewVolumes {
			named, more = named[:fewVolumes], fmt.Sprintf(", and %d more (--json and --html name them all)", len(named)-fewVolumes)
		}
		s.say("\nif anything were forced, the data of these volumes could be lost: %s%s", strings.Join(named, ", "), more)
	}
	s.warn(p.Warnings)
	return nil
}

// fewVolumes are as many as are named on a terminal.
const fewVolumes = 20

// orderText says what may become of the order, "" when it is the best that is
// found.
func orderText(p *client.Preview) string {
	if !p.Improvable {
		return ""
	}
	return "may get better: while the first cells roll, a faster one is looked for"
}

// endsText says when a plan that began now, or as its window opens, would end.
func (s *session) endsText(p *client.Preview) string {
	begins, once := s.now(), ""
	if p.Opens != nil {
		begins, once = *p.Opens, " once the window opens"
	}
	layout := "Mon 15:04"
	if begins.Add(p.Longest.D()).Sub(s.now()) > 6*24*time.Hour { // another day of the same name
		layout = "Mon 2 Jan 15:04"
	}
	at := func(d model.Duration) string { return begins.Add(d.D()).Local().Format(layout) }
	return fmt.Sprintf("in %s to %s%s (p50 to p90; %s to %s), %s at best (p10)", p.Expected, p.Longest, once, at(p.Expected), at(p.Longest), p.Shortest)
}

// raiseText says what a higher limit would buy, "" when none would.
func raiseText(r *client.Raise) string {
	if r == nil || r.Saved <= 0 {
		return ""
	}
	return fmt.Sprintf("%s %d instead of %d for %s would save %s; the bound would be %s", r.Limit, r.To, r.From, r.App, r.Saved, r.Bound)
}

// foresightText says how often ranges like these were right, "" before any
// was.
func foresightText(f *client.Foresight) string {
	if f == nil {
		return ""
	}
	all := f.Rolls.Early + f.Rolls.Within + f.Rolls.Late
	share := func(n int) int { return (100*n + all/2) / max(1, all) }
	text := fmt.Sprintf("of %s so far %d%% were done by their p50, %d%% by their p90", count(all, "roll"), share(f.Rolls.Early), share(f.Rolls.Early+f.Rolls.Within))
	if plans := f.Plans.Early + f.Plans.Within + f.Plans.Late; plans > 0 {
		text += fmt.Sprintf("; of %s %d by their p50, %d by their p90", count(plans, "plan"), f.Plans.Early, f.Plans.Early+f.Plans.Within)
	}
	return text
}
