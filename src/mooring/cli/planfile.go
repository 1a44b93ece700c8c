package cli

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"mooring/client"
	"mooring/manifest"
	"mooring/model"
)

// planFlags describe a plan without a file, or change what a file says.
func planFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "name", Usage: "`NAME` of the plan (default: the action and the time)"},
		&cli.StringFlag{Name: "cells", Usage: "`CELLS` separated by commas, or all"},
		&cli.StringFlag{Name: "pool", Usage: "cells of a placement `POOL`"},
		&cli.StringFlag{Name: "az", Usage: "cells of these `ZONES`, separated by commas"},
		&cli.StringFlag{Name: "action", Usage: "`ACTION` on each host: restart, reboot, recreate or retire"},
		&cli.StringFlag{Name: "max-in-flight", Usage: "most cells in roll at once, a `NUMBER` or a share such as 10%"},
		&cli.IntFlag{Name: "canaries", Usage: "`NUMBER` of cells rolled one at a time before the rest"},
		&cli.StringFlag{Name: "window", Usage: "`WINDOW` outside which no roll starts, such as \"Sat 02:00-06:00 Europe/London\""},
		&cli.StringFlag{Name: "on-stuck", Usage: "hold or skip a cell that is stuck (`CHOICE`)"},
		&cli.StringFlag{Name: "via-command", Usage: "`COMMAND` that acts on a host (default: the control plane's own way)"},
		&cli.BoolFlag{Name: "via-wait", Usage: "somebody else acts on each host once it is quiesced"},
		&cli.StringFlag{Name: "via-bosh", Usage: "BOSH acts on each host; the cells are instances of `DEPLOYMENT/GROUP`"},
	}, more...)
}

// plan reads the plan that the file and the flags describe.
func (s *session) plan() (client.PlanRequest, error) {
	request := client.PlanRequest{By: s.String("by"), Reason: s.String("reason")}
	if s.NArg() > 0 {
		file, data, err := s.read(s.Args().First())
		if err != nil {
			return request, err
		}
		if request.PlanSpec, err = manifest.ParsePlan(file, data); err != nil {
			return request, fmt.Errorf("the plan has problems, and nothing was changed\n%w", err)
		}
	}
	if err := s.override(&request.PlanSpec); err != nil {
		return request, err
	}
	if s.NArg() == 0 {
		if request.Name == "" && request.Action != "" {
			request.Name = string(request.Action) + "-" + s.now().UTC().Format("20060102-150405")
		}
		if err := request.Validate(); err != nil {
			return request, usage(s.Context, "name a plan file, or say enough with flags\n%v", err)
		}
	}
	return request, nil
}

// override applies the flags that were given to what a file said.
func (s *session) override(p *model.PlanSpec) error {
	if s.IsSet("name") {
		p.Name = s.String("name")
	}
	if s.IsSet("action") {
		p.Action = model.Action(s.String("action"))
	}
	if s.IsSet("cells") || s.IsSet("pool") || s.IsSet("az") {
		p.Cells = model.Selector{Pool: s.String("pool"), AZ: words(s.String("az"))}
		if ids := s.String("cells"); ids == "all" {
			p.Cells.All = true
		} else {
			p.Cells.IDs = words(ids)
		}
	}
	if s.IsSet("max-in-flight") {
		limit, err := model.ParseLimit(s.String("max-in-flight"))
		if err == nil && limit.Never() {
			err = fmt.Errorf("with 0 no cell would ever roll; leave it out for no ceiling")
		}
		if err != nil {
			return usage(s.Context, "--max-in-flight: %v", err)
		}
		p.MaxInFlight = limit
	}
	if s.IsSet("canaries") {
		p.Canaries = s.Int("canaries")
	}
	if s.IsSet("window") {
		p.Window = s.String("window")
	}
	if s.IsSet("on-stuck") {
		p.OnStuck = model.StuckChoice(s.String("on-stuck"))
	}
	if s.IsSet("via-command") || s.IsSet("via-wait") || s.IsSet("via-bosh") {
		p.Via = model.Via{Command: s.String("via-command"), Wait: s.Bool("via-wait")}
		if s.IsSet("via-bosh") {
			deployment, group, _ := strings.Cut(s.String("via-bosh"), "/")
			p.Via.Bosh = &model.BoshVia{Deployment: deployment, InstanceGroup: group}
		}
	}
	return nil
}

// words splits a list at commas, leaving out what is empty.
func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
