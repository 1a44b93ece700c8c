package intake

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// lingerFor is how long a refused caller may take to read why.
const lingerFor = time.Second

// filesLimit is how many files the process may have open.
func filesLimit() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || limit.Cur > 1<<30 {
		return 1 << 30
	}
	return int(limit.Cur)
}

// Configure has a server close what is idle or comes too slowly, and know its
// connections.
func (i *Intake) Configure(server *http.Server) {
	server.ReadHeaderTimeout, server.IdleTimeout = i.limits.Header, i.limits.Idle
	server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 100, WriteByteTimeout: i.limits.Send, SendPingTimeout: i.limits.Send, PingTimeout: i.limits.Header}
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if encrypted, is := c.(*tls.Conn); is {
			c = encrypted.NetConn()
		}
		if counted, is := c.(*conn); is {
			ctx = context.WithValue(ctx, connKey{}, counted)
		}
		return ctx
	}
}

// connKey is where the context of a request has its connection.
type connKey struct{}

// Listener returns a listener that hands on what there is room for. What there
// is no room for is closed; where tls is false, 429 is said before.
func (i *Intake) Listener(listener net.Listener, tls bool) net.Listener {
	return &bounded{Listener: listener, intake: i, tls: tls}
}

type bounded struct {
	net.Listener
	intake *Intake
	tls    bool
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		accepted, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted, intake: b.intake, address: addressOf(accepted)}
		instead, refused := b.intake.admit(c)
		if instead != nil {
			b.intake.tell("a connection on which nobody has shown who they are made way for another", "address", instead.address)
			_ = instead.Conn.Close() // it is gone either way
		}
		if refused == "" {
			return c, nil
		}
		b.intake.tell(refused, "address", c.address)
		b.refuse(accepted, refused)
	}
}

// addressOf is the address that a connection comes from; of IPv6 the /64, which
// is what one host has.
func addressOf(c net.Conn) netip.Prefix {
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Prefix{} // all that have none count as one
	}
	address, bits := from.Addr().Unmap().WithZone(""), 32
	if address.Is6() {
		bits = 64
	}
	prefix, _ := address.Prefix(bits) // the bits fit
	return prefix
}

// refuse closes a connection, and says why where it can be read.
func (b *bounded) refuse(c net.Conn, why string) {
	if b.tls {
		_ = c.Close()
		return
	}
	select {
	case b.intake.lingering <- struct{}{}:
	default: // who opens so many does not read
		_ = c.Close()
		return
	}
	go func() {
		defer func() { <-b.intake.lingering }()
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(lingerFor))
		body := fmt.Sprintf(`{"title":%q,"status":429,"detail":%q}`, http.StatusText(http.StatusTooManyRequests), why+"; close some and try again")
		_, _ = fmt.Fprintf(c, "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		// A connection closed over what was not read is reset, and the answer lost.
		if half, can := c.(interface{ CloseWrite() error }); can {
			_ = half.CloseWrite()
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(c, 64<<10))
	}()
}
