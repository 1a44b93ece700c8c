package model

import (
	"fmt"
	"regexp"
	"strings"
)

// Name is where an app or a volume set lives and what it is called there.
type Name struct {
	Org   string `json:"org" example:"acme" doc:"Organisation"`
	Space string `json:"space" example:"prod" doc:"Space inside the organisation"`
	Name  string `json:"name" example:"redis-data" doc:"Name inside the space"`
}

// String gives "org/space/name", the form used in tables, logs and keys.
func (n Name) String() string { return n.Org + "/" + n.Space + "/" + n.Name }

// word is what a single name may be: it becomes part of DNS names, file names
// and state keys, so it is the DNS label rule.
var word = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// CheckWord says whether text may name something (an app, a cell, an AZ).
// what is the noun for the error.
func CheckWord(what, text string) error {
	if word.MatchString(text) {
		return nil
	}
	return fmt.Errorf("%s %q is not a name: use 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit", what, text)
}

// Validate checks all three words.
func (n Name) Validate() error {
	for _, part := range []struct{ what, text string }{{"org", n.Org}, {"space", n.Space}, {"name", n.Name}} {
		if err := CheckWord(part.what, part.text); err != nil {
			return err
		}
	}
	return nil
}

// ParseName reads "org/space/name", filling org and space that are left out
// from defaults.
func ParseName(text string, defaults Name) (Name, error) {
	parts := strings.Split(text, "/")
	name := defaults
	switch len(parts) {
	case 1:
		name.Name = parts[0]
	case 2:
		name.Space, name.Name = parts[0], parts[1]
	case 3:
		name.Org, name.Space, name.Name = parts[0], parts[1], parts[2]
	default:
		return Name{}, fmt.Errorf("%q is not NAME, SPACE/NAME or ORG/SPACE/NAME", text)
	}
	return name, name.Validate()
}
