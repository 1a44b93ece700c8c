package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/model"
)

func eventsCommand() *cli.Command {
	return command(everybody, "events", "", "show what was decided and done, and follow what comes",
		`Kinds are such as stuck.answered and permit.granted; --kind stuck is all that
begin so. docs/events.md lists them. How many events are kept, and for how long, is said to the control
plane (--keep-events, --keep-events-for). To keep them for longer, export
them and go on from the last ID.

Examples:
   moor events
   moor events --follow --plan stemcell-1.915
   moor events --app redis-data --limit 500 --json
   moor events --kind stuck.answered --kind plan --since 24h
   moor events --actor robin
   moor events --all --json > events.jsonl`,
		[]cli.Flag{
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on with what comes; with --json one object to a line"},
			&cli.StringFlag{Name: "app", Usage: "events of an `APP` alone"},
			&cli.StringFlag{Name: "cell", Usage: "events of a `CELL` alone"},
			&cli.StringFlag{Name: "plan", Usage: "events of a `PLAN` alone"},
			&cli.StringSliceFlag{Name: "kind", Usage: "events of a `KIND` alone, or of a family (" + strings.Join(model.EventFamilies(), ", ") + "); can be given several times"},
			&cli.StringFlag{Name: "actor", Usage: "what an `ACTOR` decided or did: a person, or a part such as orchestrator"},
			&cli.StringFlag{Name: "since", Usage: "events since a `TIME` such as 2h (ago) or 2026-03-01T08:00:00Z"},
			&cli.IntFlag{Name: "limit", Value: 100, Usage: "`NUMBER` of events, the newest; with --after the first"},
			&cli.StringFlag{Name: "after", Usage: "events after the one with this `ID`"},
			&cli.BoolFlag{Name: "all", Usage: "all that are kept, the oldest first; with --json one object to a line"},
			jsonFlag,
		}, events)
}

func events(s *session) error {
	query, err := s.eventQuery()
	if err != nil {
		return err
	}
	switch follow, all := s.Bool("follow"), s.Bool("all"); {
	case all && (follow || s.IsSet("limit")):
		return usage(s.Context, "--all goes neither with --follow nor with --limit; to go on from an export, use --follow --after ID")
	case all:
		return s.api.ExportEvents(s.ctx(), query, s.showEvent)
	case follow:
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

// eventQuery reads from the flags which events are wanted.
func (s *session) eventQuery() (client.EventQuery, error) {
	query := client.EventQuery{
		After: s.String("after"), Limit: s.Int("limit"), CellID: s.String("cell"), Plan: s.String("plan"),
		Kinds: s.StringSlice("kind"), Actor: s.String("actor"),
	}
	if app := s.String("app"); app != "" {
		name, err := model.ParseName(app, s.here)
		if err != nil {
			return query, usage(s.Context, "--app: %v", err)
		}
		query.App = name.String()
	}
	if since := s.String("since"); since != "" {
		if gone, err := time.ParseDuration(since); err == nil && gone > 0 {
			query.Since = time.Now().Add(-gone)
		} else if query.Since, err = time.Parse(time.RFC3339, since); err != nil {
			return query, usage(s.Context, "--since: %q is neither how long ago, such as 2h, nor a time such as 2026-03-01T08:00:00Z", since)
		}
	}
	return query, nil
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
	_, err := fmt.Fprintf(s.out, "%s  %-22s  %-12s  %s\n", moment(event.At, s.now()), event.Kind, model.Printable(event.Actor), model.Printable(text))
	return err
}
