package access

import (
	"fmt"
	"strings"

	"mooring/model"
)

// Kind is what sort of role one is.
type Kind string

// The roles.
const (
	// Operator may do everything that people do: plans, answers, every app.
	Operator Kind = "operator"
	// Developer may push, scale and delete the apps and volume sets of an org
	// or of one space of it, and answer what is stuck about them. Developers
	// see everything but the environment and the logs of others' apps.
	Developer Kind = "developer"
	// Auditor sees everything but the environment of apps, and changes nothing.
	Auditor Kind = "auditor"
	// Cell is a host: it registers, takes work, reports, asks at its gate and
	// looks at the apps with an instance on it.
	Cell Kind = "cell"
	// Scraper reads the metrics.
	Scraper Kind = "scraper"
)

// Role is one role of an actor. Org and Space bound a Developer's, CellID a
// Cell's; an empty Space or CellID is every one.
type Role struct {
	Kind   Kind
	Org    string
	Space  string
	CellID string
}

// String gives the role as ParseRole reads it.
func (r Role) String() string {
	switch {
	case r.Kind == Developer && r.Space != "":
		return fmt.Sprintf("%s:%s/%s", r.Kind, r.Org, r.Space)
	case r.Kind == Developer:
		return fmt.Sprintf("%s:%s", r.Kind, r.Org)
	case r.CellID != "":
		return fmt.Sprintf("%s:%s", r.Kind, r.CellID)
	}
	return string(r.Kind)
}

// MarshalText is String.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is ParseRole.
func (r *Role) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRole(string(text))
	return err
}

// ParseRole reads "operator", "auditor", "scraper", "developer:ORG",
// "developer:ORG/SPACE", "cell" (any cell) or "cell:ID".
func ParseRole(text string) (Role, error) {
	kind, of, bounded := strings.Cut(text, ":")
	role := Role{Kind: Kind(kind)}
	switch role.Kind {
	case Operator, Auditor, Scraper:
		if bounded {
			return Role{}, fmt.Errorf("role %q: %s is for everything; write %s alone", text, kind, kind)
		}
	case Developer:
		var within bool
		role.Org, role.Space, within = strings.Cut(of, "/")
		if err := model.CheckWord("org", role.Org); err != nil {
			return Role{}, fmt.Errorf("role %q: write developer:ORG or developer:ORG/SPACE: %w", text, err)
		}
		if within {
			if err := model.CheckWord("space", role.Space); err != nil {
				return Role{}, fmt.Errorf("role %q: write developer:ORG or developer:ORG/SPACE: %w", text, err)
			}
		}
	case Cell:
		if role.CellID = of; bounded && (of == "" || strings.Contains(of, "/")) {
			return Role{}, fmt.Errorf("role %q: write cell:ID, or cell for any cell", text)
		}
	default:
		return Role{}, fmt.Errorf("%q is no role; use operator, developer:ORG, developer:ORG/SPACE, auditor, cell, cell:ID or scraper", text)
	}
	return role, nil
}
