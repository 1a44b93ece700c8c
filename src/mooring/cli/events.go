package cli

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/model"
)

func eventsCommand() *cli.Command {
	return command(everybody, "events", "", "show what was decided and done, and follow what comes",
		`Examples:
   moor events
   moor events --follow --plan stemcell-1.915
   moor events --app redis-data --limit 500 --json`,
		[]cli.Flag{
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on with what comes; with --json one object to a line"},
			&cli.StringFlag{Name: "app", Usage: "events of an `APP` alone"},
			&cli.StringFlag{Name: "cell", Usage: "events of a `CELL` alone"},
			&cli.StringFlag{Name: "plan", Usage: "events of a `PLAN` alone"},
			&cli.IntFlag{Name: "limit", Value: 100, Usage: "`NUMBER` of events, the newest"},
			&cli.StringFlag{Name: "after", Usage: "events after the one with this `ID`"},
			jsonFlag,
		}, events)
}

func events(s *session) error {
	query := client.EventQuery{After: s.String("after"), Limit: s.Int("limit"), CellID: s.String("cell"), Plan: s.String("plan")}
	if app := s.String("app"); app != "" {
		name, err := model.ParseName(app, s.here)
		if err != nil {
			return usage(s.Context, "--app: %v", err)
		}
		query.App = name.String()
	}
	if s.Bool("follow") {
		return s.followEvents(query)
	}
	past, err := s.api.Events(s.ctx(), query)
	if err != nil {
		return err
	}
	if printed, err := s.json(past); printed || err != nil {
		return err
	}
	for _, event := range past {
		if err := s.showEvent(event); err != nil {
			return err
		}
	}
	return nil
}

// followEvents shows what there is and goes on from there. Where nothing of
// what there is fits the query, it goes on from the newest event of all, so
// that none is missed in between.
func (s *session) followEvents(query client.EventQuery) error {
	newest, err := s.api.Events(s.ctx(), client.EventQuery{Limit: 1})
	if err != nil {
		return err
	}
	past, err := s.api.Events(s.ctx(), query)
	if err != nil {
		return err
	}
	if query.Limit = 0; query.After == "" && len(newest) > 0 {
		query.After = newest[0].ID
	}
	for _, event := range past {
		if err := s.showEvent(event); err != nil {
			return err
		}
		query.After = event.ID
	}
	return s.api.StreamEvents(s.ctx(), query, s.showEvent)
}

func (s *session) showEvent(event model.Event) error {
	if s.Bool(jsonFlag.Name) {
		return s.line(event)
	}
	text := event.Text
	if event.Reason != "" {
		text += fmt.Sprintf(" (%s)", event.Reason)
	}
	_, err := fmt.Fprintf(s.out, "%s  %-22s  %-12s  %s\n", clock(event.At), event.Kind, event.Actor, text)
	return err
}
