// Package intake bounds what callers hold of an HTTP server, so that none of
// them, by malice or by accident, keeps the others out:
//
//	intake.go    the bounds, and how many connections each caller has open
//	listener.go  connections as they come in: by address, and all together
//	handler.go   requests: by caller, and how long their parts may take
//
// A server uses it in three places:
//
//	in := intake.New(limits, logger)
//	server := &http.Server{Handler: authenticated(in.Handler(next))}
//	in.Configure(server)
//	server.Serve(in.Listener(listener))
package intake

import (
	"container/list"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Limits are the bounds. Zero fields take the defaults.
type Limits struct {
	// Total is how many connections may be open. The default is seven eighths
	// of the files that the process may have open.
	Total int
	// PerAddress is how many may be open from one address, or one /64 of IPv6.
	PerAddress int
	// PerIdentity is how many may be open on which one caller was last heard,
	// PerCell how many on which a cell was, whatever certificate it shows.
	PerIdentity, PerCell int
	// Idle is how long a connection may be open between two requests, Header
	// and Body how long the parts of a request may take to come, Send how long
	// a caller may take to accept a part of the answer.
	Idle, Header, Body, Send time.Duration
}

// The defaults. A cell keeps three or four connections, so that 10,000 of them
// behind one address translator stay below DefaultPerAddress.
const (
	DefaultPerAddress  = 50_000
	DefaultPerIdentity = 1_000
	DefaultPerCell     = 64
	DefaultIdle        = 2 * time.Minute
	DefaultHeader      = 10 * time.Second
	DefaultBody        = 30 * time.Second
	DefaultSend        = 30 * time.Second
)

func (l Limits) withDefaults() Limits {
	for _, bound := range []struct {
		is        *int
		otherwise int
	}{{&l.PerAddress, DefaultPerAddress}, {&l.PerIdentity, DefaultPerIdentity}, {&l.PerCell, DefaultPerCell}} {
		if *bound.is == 0 {
			*bound.is = bound.otherwise
		}
	}
	for _, bound := range []struct {
		is        *time.Duration
		otherwise time.Duration
	}{{&l.Idle, DefaultIdle}, {&l.Header, DefaultHeader}, {&l.Body, DefaultBody}, {&l.Send, DefaultSend}} {
		if *bound.is == 0 {
			*bound.is = bound.otherwise
		}
	}
	if l.Total == 0 {
		l.Total = filesLimit() / 8 * 7
	}
	return l
}

// Intake counts the connections of one server. It is safe for concurrent use.
type Intake struct {
	limits Limits
	log    *slog.Logger
	// lingering holds a place for each refused connection that is still told why.
	lingering chan struct{}

	mu        sync.Mutex
	open      int
	byAddress map[netip.Prefix]int
	byCaller  map[string]int
	// strangers are the connections on which nobody has shown who they are, the
	// oldest first.
	strangers list.List
	toldAt    time.Time
}

// New returns an intake. The logger may be nil.
func New(limits Limits, logger *slog.Logger) *Intake {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Intake{limits: limits.withDefaults(), log: logger, lingering: make(chan struct{}, 64),
		byAddress: map[netip.Prefix]int{}, byCaller: map[string]int{}}
}

// conn is a connection that is counted until it is closed. Its fields are
// guarded by the intake's lock.
type conn struct {
	net.Conn
	intake  *Intake
	address netip.Prefix
	// caller is who was last heard on it, "" while nobody was.
	caller   string
	stranger *list.Element // nil once somebody was heard
	closed   bool
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.intake.mu.Lock()
	c.intake.forget(c)
	c.intake.mu.Unlock()
	return c.Conn.Close()
}

// admit counts a connection. When there is no room for it, it returns why; when
// there is only instead of another, it returns that one, which is to be closed.
func (i *Intake) admit(c *conn) (instead *conn, refused string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.byAddress[c.address] >= i.limits.PerAddress {
		return nil, "too many connections are open from this address"
	}
	if i.open >= i.limits.Total {
		oldest := i.strangers.Front()
		if oldest == nil {
			return nil, "too many connections are open"
		}
		instead = oldest.Value.(*conn)
		i.forget(instead)
	}
	i.open++
	i.byAddress[c.address]++
	c.stranger = i.strangers.PushBack(c)
	return instead, ""
}

// heard counts a connection for a caller who has shown who it is, and no more
// for the one before. It returns false when the caller has the most it may.
func (i *Intake) heard(c *conn, caller string, most int) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if c.caller == caller || c.closed {
		return true
	}
	if i.byCaller[caller] >= most {
		return false
	}
	i.takeFrom(c)
	i.byCaller[caller]++
	c.caller = caller
	return true
}

// takeFrom counts a connection no more for the caller who was heard on it, nor
// among those of nobody. The lock is held.
func (i *Intake) takeFrom(c *conn) {
	if c.stranger != nil {
		i.strangers.Remove(c.stranger)
		c.stranger = nil
	}
	if c.caller != "" {
		lessOne(i.byCaller, c.caller)
	}
}

// forget counts a connection no more. The lock is held.
func (i *Intake) forget(c *conn) {
	if c.closed {
		return
	}
	c.closed = true
	i.takeFrom(c)
	i.open--
	lessOne(i.byAddress, c.address)
}

func lessOne[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] <= 0 {
		delete(counts, key)
	}
}

// tell writes to the log that somebody was turned away, not for each.
func (i *Intake) tell(why string, args ...any) {
	i.mu.Lock()
	due := time.Since(i.toldAt) >= time.Minute
	if due {
		i.toldAt = time.Now()
	}
	args = append(args, "open", i.open)
	i.mu.Unlock()
	if due {
		i.log.Warn("a caller was turned away: "+why, args...)
	}
}
