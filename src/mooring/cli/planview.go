package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"mooring/client"
	"mooring/model"
)

// showPlan prints a plan with its rolls and what is stuck.
func showPlan(out io.Writer, view *client.PlanView, now time.Time) error {
	fmt.Fprintln(out, model.Printable(headline(view, now)))
	if text := forecastText(view.Forecast, now); text != "" {
		fmt.Fprintln(out, model.Printable(text))
	}
	waiting := make(map[string]string)
	for _, w := range view.Waiting {
		waiting[w.CellID] = strings.Join(w.Why, "; ")
	}
	stuck := make(map[string]string)
	for _, item := range view.Stuck {
		stuck[item.ID] = item.What
	}
	t := newTable(out, "cell", "phase", "for", "total", "details")
	for i := range view.Rolls {
		roll := &view.Rolls[i]
		phase, total := rollTimes(roll, now)
		t.row(roll.CellID, string(roll.Phase), phase, total, rollDetails(roll, stuck, waiting))
	}
	if err := t.flush(); err != nil {
		return err
	}
	for i := range view.Stuck {
		fmt.Fprintln(out)
		if err := showStuck(out, &view.Stuck[i], now); err != nil {
			return err
		}
	}
	return nil
}

// forecastText says when a plan under way is expected to end, "" when that is
// not known.
func forecastText(f *client.Forecast, now time.Time) string {
	if f == nil {
		return ""
	}
	text := fmt.Sprintf("ends in %s to %s (p50 to p90)", short(f.Likely.Sub(now)), short(f.Latest.Sub(now)))
	if f.Left == 0 {
		text = "its end is open"
	}
	if f.Open > 0 {
		text += fmt.Sprintf("; %s will not get a turn as things are", count(f.Open, "cell"))
	}
	if f.Bottleneck != "" {
		text += "; bottleneck " + f.Bottleneck
	}
	return text
}

func headline(view *client.PlanView, now time.Time) string {
	end := now
	if !view.FinishedAt.IsZero() {
		end = view.FinishedAt
	}
	text := fmt.Sprintf("plan %s: %s, %s; %d of %d done, %d rolling, %d queued", view.Name, view.Action, view.Status, view.Done, len(view.Rolls), view.Rolling, view.Queued)
	if view.Dropped > 0 {
		text += fmt.Sprintf(", %d dropped", view.Dropped)
	}
	text += fmt.Sprintf("; %s", short(end.Sub(view.CreatedAt)))
	if view.Status == model.PlanPaused || view.Status == model.PlanAborted {
		if view.Reason != "" {
			text += " (" + view.Reason + ")"
		}
	}
	return text
}

// rollTimes gives how long a roll has been in its phase, and how long it has
// taken since it left the queue; "" where that means nothing.
func rollTimes(roll *model.Roll, now time.Time) (phase, total string) {
	if len(roll.Timeline) == 0 || roll.Phase == model.Queued {
		return "", ""
	}
	last := roll.Timeline[len(roll.Timeline)-1].At
	end := now
	if roll.Phase.Final() {
		end = last
	} else {
		phase = ago(last, now)
	}
	for _, entry := range roll.Timeline {
		if entry.Phase != model.Queued {
			return phase, ago(entry.At, end)
		}
	}
	return phase, ""
}

// rollDetails says what is unusual about a roll, the most urgent alone.
func rollDetails(roll *model.Roll, stuck, waiting map[string]string) string {
	if roll.StuckID != "" {
		return "STUCK: " + cmp.Or(stuck[roll.StuckID], "see moor stuck "+roll.StuckID)
	}
	if roll.Error != "" && !roll.Phase.Final() {
		return roll.Error
	}
	if why := waiting[roll.CellID]; why != "" && !roll.Phase.Final() {
		return "waits: " + why
	}
	if n := len(roll.Timeline); n > 0 {
		return roll.Timeline[n-1].Note
	}
	return ""
}

// changes says in lines what is new about a plan; before is nil at first.
func changes(before, after *client.PlanView) []string {
	var lines []string
	old := &client.PlanView{}
	if before == nil {
		lines = append(lines, fmt.Sprintf("plan %s: %s %s", after.Name, after.Action, count(len(after.Rolls), "cell")))
	} else {
		old = before
	}
	if old.Status != after.Status {
		text := "plan " + after.Name + " is " + string(after.Status)
		if after.Reason != "" && after.Status != model.PlanRunning && after.Status != model.PlanDone {
			text += ": " + after.Reason
		}
		lines = append(lines, text)
	}
	phases := make(map[string]model.Phase)
	for _, roll := range old.Rolls {
		phases[roll.CellID] = roll.Phase
	}
	for _, roll := range after.Rolls {
		was, known := phases[roll.CellID]
		if was == roll.Phase || !known && roll.Phase == model.Queued {
			continue
		}
		text := roll.CellID + " " + string(roll.Phase)
		if n := len(roll.Timeline); n > 0 && roll.Timeline[n-1].Note != "" {
			text += ": " + roll.Timeline[n-1].Note
		}
		lines = append(lines, fmt.Sprintf("%s (%d of %d done)", text, after.Done, len(after.Rolls)))
	}
	return append(lines, stuckChanges(old.Stuck, after.Stuck)...)
}

func stuckChanges(before, after []model.Stuck) []string {
	var lines []string
	open := make(map[string]*model.Stuck)
	for i := range before {
		open[before[i].ID] = &before[i]
	}
	for _, item := range after {
		was := open[item.ID]
		delete(open, item.ID)
		if was == nil {
			lines = append(lines, fmt.Sprintf("STUCK %s: %s; %s", item.ID, item.What, item.Advice))
		}
		if item.Answer != nil && (was == nil || was.Answer == nil) {
			lines = append(lines, fmt.Sprintf("%s was answered with %s: %s", item.ID, item.Answer.Verb, item.Answer.Reason))
		}
	}
	for _, item := range before {
		if open[item.ID] != nil {
			lines = append(lines, item.ID+" is stuck no more")
		}
	}
	return lines
}
