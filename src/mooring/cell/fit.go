package cell

import (
	"encoding/json"
	"slices"

	"mooring/model"
)

// maxReport is what a report takes at most, in bytes of JSON: less than the
// control plane takes.
const maxReport = 3 << 20

const (
	// notCarried stands for output that a report has no room for.
	notCarried = "(left out: the cell's report is full; read it with moor logs)"
	// shortText is what is left of a text where a report is fuller than full.
	shortText = 128
)

// fit returns a report of at most about limit bytes. What has no room is left
// out and said in its place: the output of instances first, the last of them
// first, then the ends of errors and messages. It changes what it is given only
// in the copies that it returns.
func fit(report model.Report, limit int) model.Report {
	if sizeOf(report) <= limit {
		return report
	}
	report.Instances = slices.Clone(report.Instances)
	bare := report
	bare.Instances = slices.Clone(report.Instances)
	for i := range bare.Instances {
		bare.Instances[i] = withoutOutput(bare.Instances[i])
	}
	room := limit - sizeOf(bare)
	for i := range report.Instances {
		whole := report.Instances[i]
		if room -= sizeOf(whole) - sizeOf(bare.Instances[i]); room < 0 {
			report.Instances[i] = bare.Instances[i]
		}
	}
	if sizeOf(report) <= limit {
		return report
	}
	for i := range report.Instances {
		report.Instances[i] = inBrief(report.Instances[i])
	}
	report.Volumes = slices.Clone(report.Volumes)
	for i := range report.Volumes {
		report.Volumes[i].Error = model.Shorten(report.Volumes[i].Error, shortText)
	}
	return report
}

// sizeOf is what something takes as JSON, in bytes.
func sizeOf(v any) int {
	content, err := json.Marshal(v)
	if err != nil {
		return 0 // not reached: all that is reported are plain values
	}
	return len(content)
}

// withoutOutput leaves out what an instance and its handler printed.
func withoutOutput(a model.ActualInstance) model.ActualInstance {
	leftOut := func(lines []string) []string {
		if len(lines) == 0 {
			return lines
		}
		return []string{notCarried}
	}
	a.Output = leftOut(a.Output)
	if a.Disruption != nil {
		told := *a.Disruption
		told.Output = leftOut(told.Output)
		a.Disruption = &told
	}
	return a
}

// inBrief leaves no text of an instance long.
func inBrief(a model.ActualInstance) model.ActualInstance {
	a = withoutOutput(a)
	a.Error, a.LastExit = model.Shorten(a.Error, shortText), model.Shorten(a.LastExit, shortText)
	if a.Disruption != nil {
		told := *a.Disruption
		told.Error, told.Message = model.Shorten(told.Error, shortText), model.Shorten(told.Message, shortText)
		a.Disruption = &told
	}
	return a
}
