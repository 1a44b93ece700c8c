package model

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with what somebody asked for.
type Problem struct {
	// Where is the path of the field, such as "lifecycle.interrupt.timeout" or
	// "mounts[0].path".
	Where string `json:"where"`
	// What is wrong and what to write instead.
	What string `json:"what"`
}

// Error gives "where: what".
func (p Problem) Error() string {
	if p.Where == "" {
		return p.What
	}
	return p.Where + ": " + p.What
}

// Problems are all that is wrong, not the first alone. As an error it is never
// empty.
type Problems []Problem

// Error gives one problem to a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// Err gives the problems as an error, nil when there are none.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// Unwrap lets errors.As find each Problem.
func (p Problems) Unwrap() []error {
	errs := make([]error, len(p))
	for i, problem := range p {
		errs[i] = problem
	}
	return errs
}

// check collects problems at one field and those below it.
type check struct {
	at    string
	found *Problems
}

func newCheck() check { return check{found: new(Problems)} }

// field is the check of a field below.
func (c check) field(name string) check {
	if c.at != "" {
		name = c.at + "." + name
	}
	return check{name, c.found}
}

// item is the check of an element of a list.
func (c check) item(i int) check { return check{c.at + "[" + strconv.Itoa(i) + "]", c.found} }

// wrong notes a problem.
func (c check) wrong(format string, args ...any) {
	*c.found = append(*c.found, Problem{c.at, fmt.Sprintf(format, args...)})
}

// word notes a problem unless text is a name.
func (c check) word(what, text string) {
	if text == "" {
		c.wrong("is missing; name the %s", what)
	} else if err := CheckWord(what, text); err != nil {
		c.wrong("%v", err)
	}
}

func (c check) err() error { return c.found.Err() }
