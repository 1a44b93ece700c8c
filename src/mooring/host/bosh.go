package host

import (
	"context"
	"errors"

	"mooring/model"
)

// Director is what it takes to act on the hosts of a BOSH deployment;
// *director.Hands does.
type Director interface {
	// Check refuses an instance group that is not there and, for actions on
	// single instances, a Director that cannot do them safely.
	Check(ctx context.Context, deployment, group string, single bool) error
	// Act restarts or recreates one instance and returns when that is
	// complete. Asked twice for the same once, it is done once. silent: its
	// agent need not answer. say, unless nil, is told what it waits for before
	// it can start, "" when it has.
	Act(ctx context.Context, deployment, group, id, action, once string, silent bool, say func(waits string)) error
	// Converge does so to all instances of a group in one task. It returns when
	// nothing of it is under way.
	Converge(ctx context.Context, deployment, group, action, once string, watch Observer) error
	// Withdraw cancels what Converge started under the same once, if it did,
	// and returns when that has ended.
	Withdraw(ctx context.Context, once string, say func(waits string)) error
	// Unignore has instances that are ignored for a task so no longer, and
	// returns when none is.
	Unignore(ctx context.Context, deployment, group string, ids []string, say func(waits string)) error
	// WatchTask watches what holds a deployment, tells cancelling when somebody
	// cancels it and heard the last that is known of each instance, and returns
	// how it ended when that was not well.
	WatchTask(ctx context.Context, deployment string, cancelling func(why string), heard func(map[string]model.HostTask)) (ended string, err error)
}

// Observer is told how the task of a whole group goes. It is an alias: whoever
// converges groups names the same type without this package.
type Observer = interface {
	// Passes: the instances that the task is to pass over, asked for just before
	// it starts, and those that are ignored for that since an earlier try.
	Passes() (which, ignored []string)
	// Ignores: these are about to be ignored for it, and no others. An error
	// keeps them from it.
	Ignores(ids []string) error
	// Begun: what it is to do is settled; no instance need be ignored for it any
	// more.
	Begun()
	// Waits: what it waits for before it can start, "" when it has.
	Waits(why string)
	// Cancelling: somebody cancels it; told again and again until it is.
	Cancelling(why string)
	// Unheard: why nobody hears of it while it goes on, "" when that is over.
	Unheard(why string)
	// Heard: the last that is known of each instance, by its ID, and under ""
	// of the task itself.
	Heard(last map[string]model.HostTask)
	// Failed: it has failed on an instance and goes on with others.
	Failed(id, why string)
}

// Bosh is the driver for hosts that are instances of a BOSH group: each is
// acted on by itself.
type Bosh struct {
	Director Director
	Via      model.BoshVia
}

// ErrNoDirector is why nothing can be done through BOSH where no Director is
// known.
var ErrNoDirector = errors.New("no Director is known here; give the orchestrator and the API --director and its login")

// Act has the Director restart or recreate the instance that is the cell. The
// roll's ID names the asking.
func (b Bosh) Act(ctx context.Context, request Request) error {
	if b.Director == nil {
		return ErrNoDirector
	}
	return b.Director.Act(ctx, b.Via.Deployment, b.Via.InstanceGroup, request.Cell, string(request.Action), request.Roll, request.Silent, request.Say)
}
