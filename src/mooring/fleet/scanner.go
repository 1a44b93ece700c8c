package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// scanner reads JSON of a known shape, value by value. It knows the path of
// where it is, and sees every key as it is written, how often it is there, and
// what is null, which encoding/json keeps to itself; and it is several times
// faster on the large lists that fleets are.
type scanner struct {
	data []byte
	at   int
	path []step
	// null says that the value read last was null.
	null bool
}

// step is one step of a path: a key, a cell that is used as one, or, without a
// name, a place in a list.
type step struct {
	name  string
	index int
	cell  bool
}

// where gives the path of what is being read, as in "apps[3].cells[0]".
func (s *scanner) where() string {
	var path strings.Builder
	for _, at := range s.path {
		switch {
		case at.cell:
			fmt.Fprintf(&path, "[%q]", at.name)
		case at.name == "":
			fmt.Fprintf(&path, "[%d]", at.index)
		default:
			if path.Len() > 0 {
				path.WriteByte('.')
			}
			path.WriteString(at.name)
		}
	}
	return path.String()
}

func (s *scanner) enter(at step) { s.path = append(s.path, at) }
func (s *scanner) leave()        { s.path = s.path[:len(s.path)-1] }

func (s *scanner) wrong(format string, args ...any) error { return wrong(s.where(), format, args...) }

// peek gives the first byte of what comes next, 0 at the end of the file.
func (s *scanner) peek() byte {
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// misfit is the error of what comes next where something else belongs.
func (s *scanner) misfit(want string) error {
	what := ""
	switch c := s.peek(); {
	case c == '"':
		what = "a string"
	case c == '{':
		what = "an object"
	case c == '[':
		what = "a list"
	case s.is("true") || s.is("false"):
		what = "true or false"
	case s.is("null"):
		what = "null"
	case c == '-' || c >= '0' && c <= '9':
		what = "a number"
	case s.at == len(s.data):
		return s.wrong("the file ends here, at byte %d: it is truncated", s.at)
	default:
		return s.wrong("this is no JSON, at byte %d: %q where %s belongs", s.at, c, want)
	}
	return s.wrong("%s where %s belongs", what, want)
}

// is tells whether a word comes next.
func (s *scanner) is(word string) bool { return bytes.HasPrefix(s.data[s.at:], []byte(word)) }

// skip goes past a word, if it comes next.
func (s *scanner) skip(word string) bool {
	s.peek()
	if !s.is(word) {
		return false
	}
	s.at += len(word)
	return true
}

// nothing goes past a null, if one comes next, and notes whether it did.
func (s *scanner) nothing() bool {
	s.null = s.skip("null")
	return s.null
}

// each calls item, which reads it, for each item between two brackets, unless
// there is null instead.
func (s *scanner) each(open, shut, want string, item func() error) error {
	if s.nothing() {
		return nil
	}
	if !s.skip(open) {
		return s.misfit(want)
	}
	for first := true; !s.skip(shut); first = false {
		if !first && !s.skip(",") {
			return s.misfit(`"," or "` + shut + `"`)
		}
		if err := item(); err != nil {
			return err
		}
	}
	s.null = false
	return nil
}

// text reads a string.
func (s *scanner) text() (string, error) {
	raw, plain, err := s.quoted()
	if err != nil || plain {
		return string(raw), err
	}
	var text string
	if err := json.Unmarshal(s.data[s.at-len(raw)-2:s.at], &text); err != nil {
		return "", s.wrong("this is no JSON, before byte %d: %w", s.at, err)
	}
	return text, nil
}

// quoted goes past a string and gives what is between its quotes; plain says
// that this is the string itself.
func (s *scanner) quoted() (raw []byte, plain bool, err error) {
	if s.peek() != '"' {
		return nil, false, s.misfit("a string")
	}
	plain = true
	for i := s.at + 1; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			raw, s.at = s.data[s.at+1:i], i+1
			return raw, plain, nil
		case c == '\\':
			i++
			plain = false
		case c < ' ' || c > '~':
			plain = false
		}
	}
	s.at = len(s.data)
	return nil, false, s.misfit("")
}

// number reads a number as it is written.
func (s *scanner) number(want string) ([]byte, error) {
	if c := s.peek(); c != '-' && (c < '0' || c > '9') {
		return nil, s.misfit(want)
	}
	from := s.at
	for s.at < len(s.data) && bytes.IndexByte([]byte("+-.0123456789eE"), s.data[s.at]) >= 0 {
		s.at++
	}
	raw := s.data[from:s.at]
	switch {
	case json.Valid(raw):
		return raw, nil
	case s.at == len(s.data):
		return nil, s.misfit("")
	}
	return nil, s.wrong("%q is no number", raw)
}
