package state

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A member of etcd that is frozen, cut off or very slow keeps its connections
// and answers nothing. members notices that of each call and stream, and has
// what follows go to another member.

const (
	// leastPatience is how long a member may take to answer. An agent waits a
	// quarter of its lease for the API, which needs time for a second member
	// within it.
	leastPatience = time.Second
	// mostPatience is how long a member may take where all of etcd is slow.
	mostPatience = 16 * time.Second
	// avoidFor is how long a silent member is passed over before one call
	// tries it again.
	avoidFor = 5 * time.Second
	// patiencePerItem is what a call may take longer for each record that it reads
	// or writes, and for each comparison.
	patiencePerItem = time.Millisecond
	// quietFor is how long a watch may be silent before its member is asked
	// whether it is there.
	quietFor = time.Second
)

// members is what a store knows of etcd's members. Its zero value trusts all.
type members struct {
	mu      sync.Mutex
	avoided map[string]time.Time // until when, by address
	// patience is 0 for leastPatience. It grows while no member answers in time,
	// so that a slow etcd is not asked the same again and again.
	patience time.Duration
	answered time.Time // by any member
}

// attempt is one call or stream, to one member.
type attempt struct {
	members  *members
	began    time.Time
	base     time.Duration // of patience, before what the size of the call adds
	patience time.Duration
	address  string // of the member, set when it is picked
}

// attemptKey is where the context of a call has its attempt.
type attemptKey struct{}

func (m *members) attempt(ctx context.Context) (context.Context, *attempt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	base := max(m.patience, leastPatience)
	a := &attempt{members: m, began: time.Now(), base: base, patience: base}
	return context.WithValue(ctx, attemptKey{}, a), a
}

// choose returns which of the addresses to ask, given that it is the turn of
// turn: the next that is not avoided, or else the one that is avoided for
// longest.
func (m *members) choose(addresses []string, turn int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, longest := time.Now(), -1
	for i := range addresses {
		candidate := (turn + i) % len(addresses)
		until, avoided := m.avoided[addresses[candidate]]
		if !avoided {
			return candidate
		}
		if now.After(until) { // this call finds out, the others wait for it
			m.avoided[addresses[candidate]] = now.Add(avoidFor)
			return candidate
		}
		if longest < 0 || until.Before(m.avoided[addresses[longest]]) {
			longest = candidate
		}
	}
	return longest
}

// answer notes that the member is there.
func (a *attempt) answer() {
	a.members.mu.Lock()
	defer a.members.mu.Unlock()
	delete(a.members.avoided, a.address)
	a.members.answered = time.Now()
	if time.Since(a.began) < a.members.patience/4 {
		a.members.patience = 0
	}
}

// avoid has other calls pass the member over for a while.
func (a *attempt) avoid() {
	a.members.mu.Lock()
	defer a.members.mu.Unlock()
	if a.address == "" {
		return
	}
	if a.members.avoided == nil {
		a.members.avoided = map[string]time.Time{}
	}
	a.members.avoided[a.address] = time.Now().Add(avoidFor)
}

// giveUp notes that the member did not answer in time.
func (a *attempt) giveUp() *UnansweredError {
	a.avoid()
	a.members.mu.Lock()
	defer a.members.mu.Unlock()
	if a.members.answered.Before(a.began) {
		// From what this attempt had: many may give up at once.
		a.members.patience = max(a.members.patience, min(a.base*3/2, mostPatience))
	}
	return &UnansweredError{Member: a.address, Waited: a.patience}
}

// UnansweredError says that a member of etcd did not answer in time. Whether it
// did what it was asked is unknown.
type UnansweredError struct {
	Member string // host:port; "" when no member could be reached
	Waited time.Duration
	watch  bool
}

// Error implements error.
func (e *UnansweredError) Error() string {
	if e.Member == "" {
		return fmt.Sprintf("no member of etcd was there for %s", e.Waited)
	}
	return fmt.Sprintf("the etcd member %s did not answer for %s", e.Member, e.Waited)
}

// GRPCStatus has etcd's client take it for a member that is away: what can be
// repeated goes to another one. It ends a watch, which etcd's client would
// resume at a revision that may not exist yet, from where no ping is answered.
func (e *UnansweredError) GRPCStatus() *status.Status {
	if e.watch {
		return status.New(codes.Aborted, e.Error())
	}
	return status.New(codes.Unavailable, e.Error())
}

// call is a grpc.UnaryClientInterceptor: one attempt of etcd's client, which
// repeats what can be repeated.
func (m *members) call(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	tagged, a := m.attempt(ctx)
	a.patience += patiencePerItem * time.Duration(items(request))
	limited, cancel := context.WithTimeout(tagged, a.patience)
	defer cancel()
	err := invoke(limited, method, request, reply, conn, opts...)
	code := status.Code(err)
	switch {
	case code == codes.OK:
		a.answer()
	case ctx.Err() != nil:
	case code == codes.DeadlineExceeded:
		unanswered := a.giveUp()
		if !repeatable(request) {
			return unanswered
		} // else err, upon which etcd's client asks again
	case code == codes.Unavailable:
		a.avoid()
	default:
		a.answer() // a refusal is one
	}
	return err
}

// items is how many records and comparisons a request is about.
func items(request any) int {
	switch r := request.(type) {
	case *pb.RangeRequest:
		return int(r.Limit)
	case *pb.TxnRequest:
		return len(r.Compare) + len(r.Success) + len(r.Failure)
	}
	return 1
}

// repeatable reports whether asking twice does the same as asking once. A lease
// that is granted twice runs out once.
func repeatable(request any) bool {
	switch r := request.(type) {
	case *pb.PutRequest, *pb.DeleteRangeRequest:
		return false
	case *pb.TxnRequest:
		for _, ops := range [][]*pb.RequestOp{r.Success, r.Failure} {
			for _, op := range ops {
				if op.GetRequestRange() == nil {
					return false
				}
			}
		}
	}
	return true
}

// stream is a grpc.StreamClientInterceptor. etcd's client takes up at another
// member a stream of lease renewals that broke; a watch is for its caller to
// make anew.
func (m *members) stream(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	tagged, a := m.attempt(ctx)
	limited, cancel := context.WithCancelCause(tagged)
	inner, err := open(limited, desc, conn, method, opts...)
	if err != nil {
		cancel(nil)
		if ctx.Err() == nil && status.Code(err) == codes.Unavailable {
			a.avoid()
		}
		return nil, err
	}
	s := &heardStream{ClientStream: inner, attempt: a, cancel: cancel}
	if strings.HasSuffix(method, "/Watch") {
		s.ping = &pb.WatchRequest{RequestUnion: &pb.WatchRequest_ProgressRequest{ProgressRequest: &pb.WatchProgressRequest{}}}
	}
	return s, nil
}

// heardStream is a stream that breaks when the member does not answer in time
// what was sent, or, where it has a ping, when it is silent.
type heardStream struct {
	grpc.ClientStream
	attempt *attempt
	cancel  context.CancelCauseFunc
	ping    any // nil where silence means nothing

	sending sync.Mutex

	mu    sync.Mutex
	due   time.Time   // for an answer; zero while none is due
	timer *time.Timer // of the answer, or of the next ping
	over  bool
}

// SendMsg implements grpc.ClientStream.
func (s *heardStream) SendMsg(message any) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.expect()
	return s.ClientStream.SendMsg(message)
}

// CloseSend implements grpc.ClientStream.
func (s *heardStream) CloseSend() error {
	s.sending.Lock()
	defer s.sending.Unlock()
	return s.ClientStream.CloseSend()
}

// expect has the stream break unless something is received in time.
func (s *heardStream) expect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || !s.due.IsZero() {
		return
	}
	s.due = time.Now().Add(s.attempt.patience)
	s.after(s.attempt.patience, s.breakOff)
}

// after runs do after a while, instead of what was to run. The caller holds mu.
func (s *heardStream) after(wait time.Duration, do func()) {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = time.AfterFunc(wait, do)
}

// breakOff ends a stream that was not answered. When this process is itself
// late by much, the answer may well be here and unread: it gets a second wait.
func (s *heardStream) breakOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch late := time.Since(s.due); {
	case s.over || s.due.IsZero() || late < 0 || s.Context().Err() != nil:
		return
	case late > s.attempt.patience/2:
		s.due = time.Now().Add(s.attempt.patience)
		s.after(s.attempt.patience, s.breakOff)
		return
	}
	s.over = true
	unanswered := s.attempt.giveUp()
	unanswered.watch = s.ping != nil
	s.cancel(unanswered)
}

// RecvMsg implements grpc.ClientStream.
func (s *heardStream) RecvMsg(message any) error {
	err := s.ClientStream.RecvMsg(message)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.attempt.answer()
		s.due = time.Time{}
		if s.ping != nil {
			s.after(quietFor, s.ask)
		} else if s.timer != nil {
			s.timer.Stop()
		}
		return nil
	}
	s.over = true
	if s.timer != nil {
		s.timer.Stop()
	}
	// The cause is read before cancel gives it another.
	if unanswered, ours := context.Cause(s.Context()).(*UnansweredError); ours {
		return unanswered
	}
	if status.Code(err) == codes.Unavailable {
		s.attempt.avoid()
	}
	s.cancel(nil)
	return err
}

// ask pings the member. An error is received as well.
func (s *heardStream) ask() {
	if s.Context().Err() == nil {
		_ = s.SendMsg(s.ping)
	}
}
