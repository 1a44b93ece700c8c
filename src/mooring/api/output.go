package api

import (
	"context"

	"mooring/access"
	"mooring/client"
	"mooring/model"
)

// What instances and their handlers run and write belongs to those who may read
// their app's logs, wherever it shows: in what is stuck, in events about it, in
// the views of apps and cells, in what explains a cell.

// reads gives who may read what the instances of an app write.
func reads(ctx context.Context) func(model.Name) bool {
	return func(app model.Name) bool { return may(ctx, access.ReadLogs, access.App(app)) == nil }
}

// shownStuck is something stuck as somebody may see it.
func shownStuck(ctx context.Context, stuck *model.Stuck) *model.Stuck {
	return stuck.ShownTo(reads(ctx))
}

// shownEvent is an event as somebody may see it.
func shownEvent(ctx context.Context, event *model.Event) *model.Event {
	if event.Stuck == nil {
		return event
	}
	shown := *event
	shown.Stuck = shownStuck(ctx, event.Stuck)
	return &shown
}

// hideOutput takes what an instance of an app wrote out of a view for those who
// may not read it.
func hideOutput(ctx context.Context, app model.Name, view *client.InstanceView) {
	if view.Actual == nil || reads(ctx)(app) {
		return
	}
	actual := *view.Actual
	actual.Output = model.HiddenOutput(actual.Output)
	if task := actual.Disruption; task != nil {
		hidden := *task
		hidden.Output, hidden.Message = model.HiddenOutput(task.Output), model.HiddenText(task.Message)
		actual.Disruption = &hidden
	}
	view.Actual = &actual
}
