package access

import "testing"

// A role is refused, or is the one that is written.
func FuzzParseRole(f *testing.F) {
	for _, seed := range []string{"operator", "developer:acme", "developer:acme/prod", "cell", "cell:c1", "auditor", "scraper", "developer:", "cell:/", ":", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		role, err := ParseRole(text)
		if err != nil {
			return
		}
		if again, err := ParseRole(role.String()); err != nil || again != role || role.String() != text {
			t.Fatalf("%q is %q: %v", text, role, err)
		}
	})
}
