package process

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// family is everything that came out of one start: the members of the session
// that the first process opened, whatever carries the marks in its
// environment, and the children of those. A program cannot leave it by
// changing its group, forking twice or rewriting its environment alone.
type family struct {
	// session is the PID of the first process, which began a session and a
	// group of that number. While any member lives the kernel gives the number
	// to nobody else. 0 looks for the marks only.
	session int
	// since is the start of the first process: nothing older belongs.
	since uint64
	// marks are the variables, KEY=VALUE, that members have all of.
	marks []string
}

// members finds who lives now, those that have ended left out.
func (f family) members() ([]stat, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	belongs := map[int]bool{}
	for _, p := range all {
		if p.Start < f.since {
			continue
		}
		if f.session != 0 && (p.Session == f.session || p.Group == f.session) || carries(p.PID, f.marks...) {
			belongs[p.PID] = true
		}
	}
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if belongs[p.Parent] && !belongs[p.PID] && p.Start >= f.since {
				belongs[p.PID], grown = true, true
			}
		}
	}
	var found []stat
	for _, p := range all {
		if belongs[p.PID] {
			found = append(found, p)
		}
	}
	return found, nil
}

// signal sends a signal to every member and reports how many got it.
func (f family) signal(sig unix.Signal) (int, error) {
	members, err := f.members()
	if err != nil {
		return 0, err
	}
	sent := 0
	for _, member := range members {
		held, err := open(member.PID, member.Start)
		if err != nil {
			continue
		}
		if held.signal(sig) == nil {
			sent++
		}
		held.close()
	}
	return sent, nil
}

// gone waits until no member lives, or the context ends.
func (f family) gone(ctx context.Context) error {
	for {
		members, err := f.members()
		if err != nil || len(members) == 0 {
			return err
		}
		for _, member := range members {
			held, err := open(member.PID, member.Start)
			if errors.Is(err, errGone) {
				continue
			}
			if err != nil {
				return err
			}
			err = held.wait(ctx)
			held.close()
			if err != nil {
				return err
			}
		}
	}
}

// freeze halts the first process and its group at once. To look through all
// processes for the other members takes long where there are many, or the host
// is busy; what is frozen does nothing in that time. It is not killed yet, for
// its children are known by it.
func (f family) freeze() {
	if held, err := open(f.session, f.since); err == nil {
		_ = unix.Kill(-f.session, unix.SIGSTOP) // who is missed is killed all the same
		held.close()
	}
}

// kill sends KILL until no member lives: a member may fork while the others
// are being looked for.
func (f family) kill(ctx context.Context) error {
	f.freeze()
	for {
		sent, err := f.signal(unix.SIGKILL)
		if err != nil {
			return err
		}
		if sent == 0 {
			return f.gone(ctx)
		}
		// Those that got it end now; the next round finds what they forked.
		round, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		err = f.gone(round)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}
