package access

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// Actor is somebody or something that calls, as it was authenticated.
type Actor struct {
	// Name is kept with everything the actor does.
	Name string `json:"name"`
	// How the name was proved: "certificate", "token", the issuer of a token,
	// "local" or "nobody".
	How   string `json:"how"`
	Roles []Role `json:"roles"`
	// Declares: the actor is believed who it says it is, as on a machine of
	// one's own.
	Declares bool `json:"declares,omitempty"`
}

// String names the actor with its roles.
func (a *Actor) String() string {
	if len(a.Roles) == 0 {
		return a.Name + " (no role)"
	}
	roles := make([]string, len(a.Roles))
	for i, role := range a.Roles {
		roles[i] = role.String()
	}
	return a.Name + " (" + strings.Join(roles, ", ") + ")"
}

// own are the names under which the system itself signs what it does.
var own = []string{"gate", "scheduler", "orchestrator", "cell", "alerts", "policy"}

// Reserved reports whether a name is one of the system's own, which no actor
// may have: the history would not tell them apart.
func Reserved(name string) bool {
	return slices.Contains(own, name) || strings.HasPrefix(name, "policy of ")
}

type key struct{}

// caller is what is known about who made a call.
type caller struct {
	actor *Actor
	err   error
}

// With gives a context for what an actor does.
func With(ctx context.Context, actor *Actor) context.Context {
	return context.WithValue(ctx, key{}, caller{actor: actor})
}

// WithUnknown gives a context for what somebody does who could not be
// authenticated, because of err.
func WithUnknown(ctx context.Context, err error) context.Context {
	return context.WithValue(ctx, key{}, caller{err: err})
}

// ErrNobody says that nobody tried to find out who calls.
var ErrNobody = errors.New("nobody is logged in")

// From gives who acts in a context, or why that is not known.
func From(ctx context.Context) (*Actor, error) {
	switch c, _ := ctx.Value(key{}).(caller); {
	case c.err != nil:
		return nil, c.err
	case c.actor == nil:
		return nil, ErrNobody
	default:
		return c.actor, nil
	}
}
