package director

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"mooring/model"
)

// news reads what a task logs, a little at a time.
type news struct {
	task   int
	offset int64
}

// next gives the lines that are new since the last time. While the Director
// does not answer there are none.
func (n *news) next(ctx context.Context, c *Client) []Event {
	events, offset, err := c.Events(ctx, n.task, n.offset)
	if err != nil {
		return nil
	}
	n.offset = offset
	return events
}

// lastOf gives the last that the events of a task say of each instance, by its
// ID, and under "" of what is no instance's.
func lastOf(task int, events []Event) map[string]model.HostTask {
	last := map[string]model.HostTask{}
	for _, event := range events {
		_, id := event.instance()
		last[id] = model.HostTask{ID: task, Last: event.String(), At: time.Unix(event.Time, 0).UTC(), Failed: event.State == "failed"}
	}
	return last
}

// instanceName is how BOSH writes an instance: its group, ID and index.
var instanceName = regexp.MustCompile(`([^\s/']+)/([^\s/']+) \(\d+\)`)

// instance gives the group and the ID of the instance that an event is about,
// "" when it is about none: a deploy names it as the step, a single action as
// the stage.
func (e Event) instance() (group, id string) {
	for _, text := range []string{e.Task, e.Stage} {
		if match := instanceName.FindStringSubmatch(text); match != nil {
			return match[1], match[2]
		}
	}
	return "", ""
}

// String gives what an event says in one line.
func (e Event) String() string {
	switch {
	case e.Error != nil:
		return fmt.Sprintf("%s (code %d)", shorten(e.Error.Message), e.Error.Code)
	case e.Data.Error != "":
		return fmt.Sprintf("%s: %s, %s: %s", e.Stage, e.Task, e.State, shorten(e.Data.Error))
	case e.Data.Status != "":
		return fmt.Sprintf("%s: %s, %s", e.Stage, e.Task, e.Data.Status)
	}
	return fmt.Sprintf("%s: %s, %s", e.Stage, e.Task, e.State)
}
