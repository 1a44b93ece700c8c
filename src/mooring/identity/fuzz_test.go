package identity

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"mooring/access"
)

// Of who may do what a file is refused, or gives nobody what changes things for
// showing nothing.
func FuzzParse(f *testing.F) {
	_, hash := NewToken()
	for _, seed := range []string{
		"", "anyone: [auditor]", "certificates: [{unit: operators, roles: [operator]}]", "certificates: [{name: a, roles: ['cell:{name}', 'developer:acme/prod']}]",
		"tokens: [{name: ci, sha256: " + hash + ", roles: ['developer:acme'], expires: 2030-01-01T00:00:00Z}]", "tokens: [{name: gate, sha256: ab, roles: []}]",
		"issuers: [{url: 'https://uaa/oauth/token', audience: a, groups: [{group: g, roles: [auditor]}]}]", "a: &a [*a]", "anyone: [operator]", "tokens: {",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		a, err := parse(content)
		if err != nil {
			return
		}
		actor, err := a.Identify(httptest.NewRequest(http.MethodGet, "/", nil))
		if err != nil {
			return
		}
		for _, right := range []access.Right{access.Change, access.Plan, access.Answer, access.Speak, access.Gate, access.ReadEnv} {
			if access.May(actor, right, access.Somewhere("anything")) == nil {
				t.Fatalf("who shows nothing may %s", right)
			}
		}
	})
}

// Nothing but the one token is let in.
func FuzzIdentify(f *testing.F) {
	secret := "moor_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	a, err := parse([]byte(`
tokens: [{name: ci, sha256: 80a8ce0d5c08b85e9e3e5ad4b4d8e0b7c8bd7e5b1f1c9a8d7c6b5a4938271605, roles: [operator]}]
issuers: [{url: "https://uaa.invalid/oauth/token", audience: a, groups: [{group: g, roles: [operator]}]}]`))
	if err != nil {
		f.Fatal(err)
	}
	for _, i := range a.issuers {
		i.http = &http.Client{Transport: refusing{}, Timeout: time.Second}
	}
	for _, seed := range []string{"", "Bearer", "Bearer " + secret, "bearer  x", "Basic YTpi", "Bearer a.b.c", "Bearer ..", "Bearer .e30.",
		"Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL3VhYS5pbnZhbGlkL29hdXRoL3Rva2VuIn0.", "Bearer \x00"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, header, cookie string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{header}
		r.AddCookie(&http.Cookie{Name: Cookie, Value: cookie})
		if actor, err := a.Identify(r); err == nil {
			t.Fatalf("%q and %q are %s", header, cookie, actor)
		}
		if actor, err := a.Token(r, cookie); err == nil {
			t.Fatalf("%q is %s", cookie, actor)
		}
	})
}

// refusing is a network that there is not.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no network here")
}
