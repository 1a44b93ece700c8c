package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"mooring/model"
)

func itoa(i int) string { return strconv.Itoa(i) }

// The functions below read one value each and note what is wrong with it.

func (r *reader) duration(s scalar, where string) model.Duration {
	var d model.Duration
	if s.given() {
		r.text(s, where, &d)
	}
	return d
}

func (r *reader) size(s scalar, where string) model.Size {
	var size model.Size
	if s.given() {
		r.text(s, where, &size)
	}
	return size
}

func (r *reader) limit(s scalar, where string) model.Limit {
	var limit model.Limit
	if s.given() {
		r.text(s, where, &limit)
	}
	return limit
}

func (r *reader) text(s scalar, where string, out interface{ UnmarshalText([]byte) error }) {
	if err := out.UnmarshalText([]byte(s.text)); err != nil {
		r.wrong(s.token, where, err.Error())
	}
}

func (r *reader) number(s scalar, where string, otherwise int) int {
	if !s.given() {
		return otherwise
	}
	n, err := strconv.Atoi(strings.ReplaceAll(s.text, "_", ""))
	if err != nil {
		r.wrong(s.token, where, fmt.Sprintf("%q is not a whole number", s.text))
	}
	return n
}

func (r *reader) yes(s scalar, where string) bool {
	switch s.text {
	case "true":
		return true
	case "false", "":
		return false
	}
	r.wrong(s.token, where, fmt.Sprintf("%q is neither true nor false", s.text))
	return false
}
