package cli

import (
	"os"

	"github.com/urfave/cli/v2"

	"mooring/gate"
	"mooring/model"
)

// gateCommand is what BOSH's hooks on a cell run, and people who must overrule
// them.
func gateCommand() *cli.Command {
	cell := &cli.StringFlag{Name: "cell", EnvVars: []string{"MOORING_CELL"}, Required: true, Usage: "`ID` of the cell this runs on"}
	deployment := &cli.StringFlag{Name: "deployment", EnvVars: []string{"MOORING_DEPLOYMENT"}, Usage: "`NAME` that BOSH has for the cell's deployment, whose task is then watched for being cancelled"}
	dir := &cli.StringFlag{Name: "dir", EnvVars: []string{"MOORING_GATE_DIR"}, Value: "/var/vcap/store/cell/gate", Usage: "`DIR` of the gate on the cell, where it is opened by hand"}
	return &cli.Command{
		Name: "gate", Category: operators, Usage: "where BOSH asks for leave before it stops a cell",
		HideHelpCommand: true,
		Subcommands: []*cli.Command{
			command("", "leave", "", "block until the cell may be stopped; for pre-stop",
				`What BOSH is about to do is read from the environment it gives pre-stop. The
cell is taken through the roll that a plan has for it, or through one in a plan
of the gate's own with whatever else BOSH stops at the time. Status 1 means that
the cell must not be stopped.

Example, in pre-stop:
   moor gate leave --cell "$ID"`,
				[]cli.Flag{cell, deployment, dir, &cli.StringFlag{Name: "action", Usage: "`ACTION` that is about to happen (default: what BOSH says)"}}, leave),
			command("", "return", "", "block until the cell has settled; for post-start", `Example, in post-start:
   moor gate return --cell "$ID"`,
				[]cli.Flag{cell, dir}, func(s *session) error { return s.gate().Return(s.ctx()) }),
			command("", "last", "", "block until a control node may go for good; for its pre-stop",
				`The control plane outlives its cells: when BOSH deletes the deployment, the node
stays until no cell is left. A node that BOSH takes away alone stays only when
no other one serves, and one that comes back goes at once. A cell on the same
VM is not waited for. What BOSH is about to do is read from the environment it
gives pre-stop.

Example, in pre-stop:
   moor gate last --cell "$ID" --other https://control-1:7770`,
				[]cli.Flag{
					&cli.StringFlag{Name: "cell", EnvVars: []string{"MOORING_CELL"}, Usage: "`ID` of the cell on this VM, if there is one"},
					&cli.StringSliceFlag{Name: "other", EnvVars: []string{"MOORING_OTHERS"}, Usage: "`URL` of the API of another control node; may be given several times"},
					&cli.BoolFlag{Name: "first", EnvVars: []string{"MOORING_FIRST"}, Usage: "of several control nodes that go alone at the same time this is the one that sees whether any stays; on one node of all"},
					&cli.StringFlag{Name: "served", EnvVars: []string{"MOORING_SERVED"}, Usage: "`FILE` that the API of this node makes once it has served (moor api --served-file); without it the node goes at once"}, dir,
				}, last),
			{
				Name: "open", Usage: "let BOSH go on at once, against the policies",
				Description: `The emergency exit, on the cell itself: it works without the control plane. Who
waits at the gate goes on, or who comes within 10 minutes. Instances that have
not yielded are stopped with their cell. On a control node that waits for its
cells it lets the node go before them.

Example:
   moor gate open --reason "the control plane is gone, see INC-1234"`,
				Flags: append(byFlags(), dir),
				Action: func(c *cli.Context) error {
					if err := checkArgs(c, nil); err != nil {
						return err
					}
					if c.String("reason") == "" {
						return usage(c, "say why the gate is opened, with --reason; it is kept with the events")
					}
					s, err := newSession(c)
					if err != nil {
						return err
					}
					if err := gate.Open(s.String("dir"), s.String("reason"), s.String("by"), s.now()); err != nil {
						return err
					}
					s.say("the gate is open for %s: whoever waits there goes on, against the policies", gate.Lasts)
					return nil
				},
			},
		},
	}
}

func (s *session) gate() *gate.Gate {
	return &gate.Gate{Cell: s.String("cell"), Deployment: s.String("deployment"), Dir: s.String("dir"), Control: s.api, Out: s.out}
}

func leave(s *session) error {
	action := model.Action(s.String("action"))
	if action == "" {
		var err error
		if action, err = gate.ActionOf(os.Getenv); err != nil {
			return usage(s.Context, "%v", err)
		}
	}
	if action.Rank() == 0 {
		return usage(s.Context, "--action is %q; use restart, reboot, recreate or retire", action)
	}
	g := s.gate()
	g.DeletesAll = gate.DeletesDeployment(os.Getenv)
	return g.Leave(s.ctx(), action)
}

// last is for control nodes.
func last(s *session) error {
	withAll, alone, err := gate.Going(os.Getenv)
	if err != nil {
		return usage(s.Context, "%v", err)
	}
	if !withAll && !alone {
		return nil
	}
	l := &gate.Last{Fleet: s.api, Beside: s.String("cell"), First: s.Bool("first"), Dir: s.String("dir"), Served: s.String("served"), Out: s.out}
	for _, url := range s.StringSlice("other") {
		if url == "" {
			continue // a variable that is set to nothing
		}
		other := s.to
		other.API = url
		api, err := other.connect()
		if err != nil {
			return usage(s.Context, "--other: %v", err)
		}
		l.Others = append(l.Others, api)
	}
	return l.Wait(s.ctx(), alone)
}
