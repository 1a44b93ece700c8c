package cli

import (
	"fmt"

	"mooring/chart"
	"mooring/client"
)

// drawPreview writes a preview into a file as a page.
func (s *session) drawPreview(path string, wanted *client.PlanRequest, p *client.Preview) error {
	page := &chart.Plan{
		Title: fmt.Sprintf("Plan %s: %s of %s", wanted.Name, wanted.Action, count(len(p.Order), "cell")),
		Bound: p.Bound.D(), Expected: p.Expected.D(), Longest: p.Longest.D(),
		Facts: []chart.Fact{
			{Name: "ends in", Value: fmt.Sprintf("%s to %s", p.Expected, p.Longest), Note: fmt.Sprintf("p50 to p90; %s at best (p10)", p.Shortest)},
			{Name: "bound", Value: p.Bound.String(), Note: "no order is faster under these policies"},
			{Name: "at once", Value: "at most " + count(p.AtOnce, "cell")},
		},
		AtRisk: p.DataAtRisk, Warnings: p.Warnings,
	}
	if p.Bottleneck != "" {
		page.Facts = append(page.Facts, chart.Fact{Name: "bottleneck", Value: p.Bottleneck, Note: raiseText(p.Raise)})
	}
	if order := orderText(p); order != "" {
		page.Facts = append(page.Facts, chart.Fact{Name: "order", Value: order})
	}
	for _, slot := range p.Timeline {
		page.Rolls = append(page.Rolls, chart.Roll{Cell: slot.CellID, AZ: slot.AZ, Domain: fmt.Sprint("domain ", slot.Domain), From: slot.From.D(), To: slot.To.D()})
	}
	for _, never := range p.Never {
		page.Never = append(page.Never, chart.Never{Cell: never.CellID, Why: never.Text + " (" + never.Owner + ")"})
	}
	if err := WriteChart(path, page); err != nil {
		return err
	}
	s.say("the timeline is in %s", path)
	return nil
}
