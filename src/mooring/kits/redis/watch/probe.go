package watch

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Causes why a node does not serve.
const (
	Nowhere = "has no address"
	Refused = "refuses connections"
	Silent  = "does not answer"
	Loading = "is loading its data"
	Apart   = "says the cluster is down"
	Behind  = "link to its primary is down"
)

// probe looks at one address over one connection. It speaks the protocol
// itself: a client library rests between attempts to connect, and a look must
// be a look.
type probe struct {
	address string
	silence time.Duration
	conn    net.Conn
	answers *bufio.Reader
}

func (p *probe) close() {
	if p != nil && p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
}

// look gives why the node does not serve, "" when it does.
func (p *probe) look() string {
	if p.address == "" {
		return Nowhere
	}
	ping, state, role, err := p.ask()
	if err != nil {
		p.close()
		var slow net.Error
		if errors.As(err, &slow) && slow.Timeout() {
			return Silent
		}
		return Refused
	}
	switch {
	case strings.HasPrefix(ping[0], "-LOADING"):
		return Loading
	case !strings.Contains(state[0], "cluster_state:ok"):
		return Apart
	case role[0] == "slave" && (len(role) < 4 || role[3] != "connected"):
		return Behind
	}
	return ""
}

// ask puts three questions at once and gives the parts of the three answers.
func (p *probe) ask() (ping, state, role []string, err error) {
	if p.conn == nil {
		if p.conn, err = net.DialTimeout("tcp", p.address, p.silence); err != nil {
			p.conn = nil
			return nil, nil, nil, err
		}
		p.answers = bufio.NewReader(p.conn)
	}
	if err := p.conn.SetDeadline(time.Now().Add(p.silence)); err != nil {
		return nil, nil, nil, err
	}
	if _, err := io.WriteString(p.conn, "PING\r\nCLUSTER INFO\r\nROLE\r\n"); err != nil {
		return nil, nil, nil, err
	}
	for _, answer := range []*[]string{&ping, &state, &role} {
		if *answer, err = readAnswer(p.answers); err != nil {
			return nil, nil, nil, err
		}
	}
	return ping, state, role, nil
}

// readAnswer reads one answer in the Redis protocol (RESP2). Nested arrays are
// laid flat; an error keeps its "-". There is always at least one part.
func readAnswer(from *bufio.Reader) ([]string, error) {
	line, err := from.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return nil, errors.New("an empty line is no answer")
	}
	switch line[0] {
	case '-':
		return []string{line}, nil
	case '+', ':':
		return []string{line[1:]}, nil
	}
	size, err := strconv.Atoi(line[1:])
	if err != nil || line[0] != '$' && line[0] != '*' {
		return nil, fmt.Errorf("%q is no answer of Redis", line)
	}
	if line[0] == '$' {
		text := make([]byte, max(0, size)+2)
		if size < 0 {
			return []string{""}, nil
		}
		if _, err := io.ReadFull(from, text); err != nil {
			return nil, err
		}
		return []string{string(text[:size])}, nil
	}
	parts := []string{}
	for range size {
		part, err := readAnswer(from)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part...)
	}
	if len(parts) == 0 {
		parts = []string{""}
	}
	return parts, nil
}
