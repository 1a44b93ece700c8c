package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/model"
)

func resolveCommand() *cli.Command {
	return command(operators, "resolve", "ID ANSWER", "answer something that is stuck, with a reason that is kept",
		`The answers:
   wait    try again and allow it --for longer
   retry   try again
   force   stop the instance without its handler
   skip    leave this cell out of the plan
   lost    the cell is gone for good, with its fixed volumes

Where force or lost gives up data, the volumes are named and each name has to
be typed, or given with --confirm. The beginning of an ID is enough.

Examples:
   moor resolve stemcell-1.915.cell-3.handler-hung retry --reason "handler fixed"
   moor resolve stemcell-1.915.cell-3 wait --for 10m --reason "large keys"
   moor resolve stemcell-1.915.cell-3 force --reason "data is elsewhere" \
      --confirm acme/prod/redis-data/3`,
		append(byFlags(),
			&cli.DurationFlag{Name: "for", Usage: "with wait, `TIME` to wait longer, such as 10m", DefaultText: "none"},
			&cli.StringSliceFlag{Name: "confirm", Usage: "`VOLUME` whose data may be lost; once for each"},
			jsonFlag,
		), resolve)
}

func resolve(s *session) error {
	answer := model.Answer{
		Verb:    model.Verb(s.Args().Get(1)),
		Reason:  strings.TrimSpace(s.String("reason")),
		By:      s.String("by"),
		For:     model.Duration(s.Duration("for")),
		Confirm: s.StringSlice("confirm"),
	}
	if err := answer.Validate(); err != nil {
		return usage(s.Context, "%v", err)
	}
	items, err := s.api.Stuck(s.ctx())
	if err != nil {
		return err
	}
	item, err := pick(items, s.Args().First())
	if errors.Is(err, errNotStuck) {
		// The API knows who answered before, or how it came to move again.
		answered, refused := s.api.Answer(s.ctx(), s.Args().First(), answer)
		switch {
		case client.NotFound(refused):
			return err
		case refused != nil:
			return refused
		}
		return s.answered(answered, &answer)
	}
	if err != nil {
		return err
	}
	if givesUpData(answer.Verb) && slices.Contains(item.Answers, answer.Verb) {
		if err := s.confirmLoss(item, &answer); err != nil {
			return err
		}
	}
	if err := answer.CheckAgainst(item); err != nil {
		return fmt.Errorf("%s is refused for %s: %w", answer.Verb, item.ID, err)
	}
	answered, err := s.api.Answer(s.ctx(), item.ID, answer)
	if err != nil {
		return err
	}
	return s.answered(answered, &answer)
}

// answered says that an answer was taken, or that somebody gave it before.
func (s *session) answered(item *model.Stuck, answer *model.Answer) error {
	if printed, err := s.json(item); printed || err != nil {
		return err
	}
	if first := item.Answer; first != nil && first.Reason != answer.Reason {
		s.say("%s was answered with %s by %s already (%s); your reason is kept too", item.ID, first.Verb, cmp.Or(first.By, "somebody"), first.Reason)
		return nil
	}
	s.say("%s is answered with %s", item.ID, answer.Verb)
	return nil
}

func givesUpData(verb model.Verb) bool { return verb == model.Force || verb == model.Lost }

// confirmLoss has each volume typed whose data would be lost and that was not
// confirmed on the command line.
func (s *session) confirmLoss(item *model.Stuck, answer *model.Answer) error {
	if len(answer.Confirm) > 0 || len(item.Data) == 0 {
		return nil
	}
	fmt.Fprintf(s.err, "%s\nWith %s, the data of %s will be lost for good.\n", model.Printable(item.What), answer.Verb, strings.Join(item.Data, ", "))
	for _, name := range item.Data {
		typed := s.typed(fmt.Sprintf("Type %s to give it up:", name))
		if typed != name {
			return fmt.Errorf("nothing was done: %q is not %s; type the name, or give it with --confirm", typed, name)
		}
		answer.Confirm = append(answer.Confirm, typed)
	}
	return nil
}
