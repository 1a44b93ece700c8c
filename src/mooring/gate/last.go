package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mooring/client"
	"mooring/model"
)

// Fleet is what a control node asks an API before it goes; *client.Client is
// one.
type Fleet interface {
	Cells(ctx context.Context) ([]client.CellView, error)
}

// Last is where BOSH waits before it takes a control node away for good: the
// cells need the control plane to hand over what they have and to go through
// their own gates, and BOSH deletes the instances of a deployment all at once.
type Last struct {
	// Fleet is the API of this node; others may stand in for it.
	Fleet Fleet
	// Others are the APIs of the other control nodes, one each.
	Others []Fleet
	// First is true on one control node: of several that go alone at the same
	// time, each seeing the others serve, it stays to see what becomes of them.
	First bool
	// Beside is the cell on this very VM, "" when there is none. It is not
	// waited for: BOSH stops what runs here when every pre-stop has ended, its
	// own too.
	Beside string
	// Dir is where an opening by hand is looked for, on a disk of the node.
	Dir string
	// Served is the file that the API of this node makes once it has served; ""
	// takes it for there.
	Served string
	// Out gets one line for each thing that is newly waited for.
	Out io.Writer

	said teller
}

// lastPace is the pause between two looks at the cells. Whoever waits here
// waits for hosts to go.
const lastPace = time.Second

// firstStays is how long the first node stays although others serve: enough for
// BOSH to stop what runs on those that go.
const firstStays = time.Minute

// Going reports whether the control node goes with all of its deployment, or
// alone. Neither is so when it comes back. getenv is os.Getenv.
func Going(getenv func(string) string) (withAll, alone bool, err error) {
	action, err := ActionOf(getenv)
	if err != nil || action != model.Retire {
		return false, false, err
	}
	withAll = DeletesDeployment(getenv)
	return withAll, !withAll, nil
}

// Wait returns once no cell is left that needs the control plane, or a person
// opened the gate. A node that goes alone may go as long as another one serves.
// The error says that ctx ended.
func (l *Last) Wait(ctx context.Context, alone bool) error {
	if l.neverServed() {
		l.say("open: the API of this control node has never served, so that no cell needs it")
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opening := make(chan *override, 1)
	go func() { opening <- awaitOpening(ctx, l.Dir) }()
	began := time.Now()
	for !l.look(ctx, alone, time.Since(began)) {
		select {
		case o := <-opening:
			if o == nil {
				return fmt.Errorf("the control node was not given leave: %w", ctx.Err())
			}
			return l.overrule(o)
		case <-time.After(lastPace):
		}
	}
	return nil
}

// neverServed reports whether the API of this node has not once served since the
// VM was made, as on a first deploy that failed.
func (l *Last) neverServed() bool {
	if l.Served == "" {
		return false
	}
	_, err := os.Stat(l.Served)
	return errors.Is(err, fs.ErrNotExist)
}

// look reports whether the node may go after it has waited so long, and says
// why or why not.
func (l *Last) look(ctx context.Context, alone bool, waited time.Duration) bool {
	another := alone && l.another(ctx)
	if another && (!l.First || waited >= firstStays) {
		l.say("open: another control node serves, this one may go")
		return true
	}
	left, err := l.left(ctx)
	var answer *client.Error
	switch {
	case err == nil && len(left) == 0:
		l.say("open: no cell is left that needs the control plane")
		return true
	case ctx.Err() != nil:
	case another:
		l.say("another control node serves; for %s this one stays to see whether that one goes too", firstStays)
	case err == nil:
		l.say("the control plane goes after its cells, and %s: the log of a cell's own pre-stop says what it waits for, moor stuck who can help. A cell that BOSH leaves where it is, take out of its deployment first; or open the gate here: gate open --reason WHY", listed(left))
	case errors.As(err, &answer) && answer.Status < 500:
		l.say("the control plane goes after its cells, and the API refuses to say which are left: %v; %s can help, or open the gate here: gate open --reason WHY", err, model.CloudOps)
	default:
		l.say("the control plane goes after its cells, and no API answers to say which are left; %s can bring it back, or, when there are no cells, open the gate here: gate open --reason WHY", model.CloudOps)
	}
	return false
}

// another reports whether the API of another control node serves.
func (l *Last) another(ctx context.Context) bool {
	calling, done := context.WithTimeout(ctx, callPatience)
	defer done()
	return slices.ContainsFunc(l.Others, func(other Fleet) bool {
		_, err := other.Cells(calling)
		return err == nil
	})
}

// left names the cells that need the control plane: those whose agent speaks,
// and those that may wait at their gate although it does not.
func (l *Last) left(ctx context.Context) ([]string, error) {
	calling, done := context.WithTimeout(ctx, callPatience)
	defer done()
	cells, err := l.Fleet.Cells(calling)
	var left []string
	for _, cell := range cells {
		gone := !cell.Present && (cell.Plan == "" || cell.Phase == model.Acting || cell.Phase == model.Returning)
		if !gone && cell.ID != l.Beside {
			left = append(left, cell.ID)
		}
	}
	return left, err
}

// listed is how many cells are left, and which, as far as they fit a line.
func listed(cells []string) string {
	const most = 5
	text := fmt.Sprintf("%d are left, ", len(cells))
	if len(cells) == 1 {
		text = "1 is left, "
	}
	if len(cells) > most {
		return fmt.Sprintf("%s%s and %d more", text, strings.Join(cells[:most], ", "), len(cells)-most)
	}
	return text + strings.Join(cells, ", ")
}

// overrule lets the node go because a person says so. There is nobody to keep
// that but the log: what keeps events goes.
func (l *Last) overrule(o *override) error {
	if err := os.Remove(filepath.Join(l.Dir, openFile)); err != nil {
		return fmt.Errorf("take the opening of the gate: %w", err)
	}
	l.say("OPENED BY HAND by %s (%s): the control node goes; cells that are left wait at their gates until they are opened by hand too. It waited: %s", o.By, o.Reason, l.said.last)
	return nil
}

func (l *Last) say(format string, args ...any) { l.said.say(l.Out, format, args...) }
