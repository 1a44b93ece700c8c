package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// TestMain gives the tests a home of their own: nobody's login is used.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "moor-home")
	if err != nil {
		panic(err)
	}
	os.Setenv("MOORING_HOME", home)
	status := m.Run()
	_ = os.RemoveAll(home)
	os.Exit(status)
}

// aHome is a home of one test's own; it gives where the target is kept.
func aHome(t *testing.T) string {
	home := t.TempDir()
	t.Setenv("MOORING_HOME", home)
	return filepath.Join(home, ".moor", "config")
}

// knows makes the API know the holder of a token.
func (api *fakeAPI) knows(token, who string) {
	api.mux.HandleFunc("GET /v1/whoami", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"title":"Unauthorized","detail":"who calls is not known: the token is not known here"}`))
			return
		}
		_, _ = w.Write([]byte(who))
	})
}

// moor runs the program as somebody at home would, without the flags of tests.
func moor(t *testing.T, in string, args ...string) result {
	t.Helper()
	return execute(t.Context(), in, args)
}

func TestLoggingInIsKept(t *testing.T) {
	g := NewWithT(t)
	config := aHome(t)
	api := newAPI(t)
	api.knows("secret", `{"name":"nina","how":"token","roles":["developer:acme/prod"]}`)
	api.answers("GET /v1/apps", []any{})

	r := moor(t, "", "target", api.URL, "--org", "acme", "--space", "prod")
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(r.out).To(Equal(lines("api:    "+api.URL, "org:    acme", "space:  prod", "as:     nobody; log in with: moor login")))
	g.Expect(os.Stat(config)).To(WithTransform(os.FileInfo.Mode, Equal(os.FileMode(0o600))))

	r = moor(t, "", "whoami")
	g.Expect(r.status).To(Equal(1))
	g.Expect(r.err).To(ContainSubstring("moor login --token TOKEN"), "an error says how to log in")

	r = moor(t, "wrong\n", "login")
	g.Expect(r.status).To(Equal(1))
	g.Expect(r.err).To(ContainSubstring("does not let you in: who calls is not known"))
	r = moor(t, "bearer secret\n", "login")
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(r.out).To(ContainSubstring("as:     nina (developer:acme/prod)"))
	g.Expect(os.Stat(config)).To(WithTransform(os.FileInfo.Mode, Equal(os.FileMode(0o600))))

	g.Expect(moor(t, "", "whoami").out).To(Equal(lines("name:      nina", "known by:  token", "roles:     developer:acme/prod")))
	g.Expect(moor(t, "", "whoami", "--json").out).To(ContainSubstring(`"name": "nina"`))
	api.answers("GET /v1/apps/acme/prod/db", map[string]any{"name": "db"})
	g.Expect(moor(t, "", "app", "db").status).To(Equal(0))
	g.Expect(api.requests()).To(ContainElement("GET /v1/apps/acme/prod/db"), "the target's org and space go before names")

	g.Expect(moor(t, "", "logout").status).To(Equal(0))
	g.Expect(moor(t, "", "whoami").status).To(Equal(1))
	g.Expect(moor(t, "", "target").out).To(ContainSubstring(api.URL), "the target stays")
}

func TestATokenGoesToNoOtherAPI(t *testing.T) {
	g := NewWithT(t)
	aHome(t)
	api, other := newAPI(t), newAPI(t)
	var shown []string
	other.mux.HandleFunc("GET /v1/whoami", func(w http.ResponseWriter, r *http.Request) {
		shown = append(shown, r.Header.Get("Authorization"))
		_, _ = w.Write([]byte(`{"name":"x","how":"local"}`))
	})
	api.knows("secret", `{"name":"nina","how":"token"}`)
	g.Expect(moor(t, "", "--api", api.URL, "login", "--token", "secret").status).To(Equal(0))
	g.Expect(moor(t, "", "whoami").out).To(ContainSubstring("nina"), "the API one logged in to is the target")

	g.Expect(moor(t, "", "--api", other.URL, "whoami").status).To(Equal(0))
	g.Expect(moor(t, "", "target", other.URL).status).To(Equal(0))
	g.Expect(shown).To(HaveEach(""))
	g.Expect(moor(t, "", "--token", "mine", "whoami").status).To(Equal(0))
	g.Expect(shown).To(ContainElement("Bearer mine"), "one that is given goes where it is to")

	r := moor(t, "", "--api", "http://mooring.example.com", "--token", "secret", "whoami")
	g.Expect(r.status).To(Equal(2))
	g.Expect(r.err).To(ContainSubstring("a token could be read on its way to http://mooring.example.com; call the API with https"))
}

func TestLoginsThatMakeNoSense(t *testing.T) {
	config := aHome(t)
	api := newAPI(t)
	for says, args := range map[string][]string{
		"--client-cert and --client-key go together":  {"login", "--client-cert", "x"},
		"no token was given":                          {"login"},
		`"gate" is what the system itself signs with`: {"create-token", "gate", "--role", "auditor"},
		`"admin" is no role`:                          {"create-token", "x", "--role", "admin"},
		"--expires is -1h0m0s":                        {"create-token", "x", "--role", "auditor", "--expires", "-1h"},
	} {
		r := moor(t, "", append([]string{"--api", api.URL}, args...)...)
		NewWithT(t).Expect(r.status).To(Equal(2), says)
		NewWithT(t).Expect(r.err).To(ContainSubstring(says))
	}
	g := NewWithT(t)
	g.Expect(moor(t, "", "target", "nowhere").err).To(ContainSubstring(`API address "nowhere"`))
	g.Expect(os.MkdirAll(filepath.Dir(config), 0o700)).To(Succeed())
	g.Expect(os.WriteFile(config, []byte("tokn: x"), 0o600)).To(Succeed())
	g.Expect(moor(t, "", "apps").err).To(And(ContainSubstring(config), ContainSubstring("remove it and run moor target again")))
}

func TestATokenIsMadeWithWhatLetsItIn(t *testing.T) {
	g := NewWithT(t)
	r := moor(t, "", "create-token", "ci", "--role", "developer:acme/prod", "--role", "auditor", "--json")
	var made struct {
		Token string
		Entry struct {
			Name, SHA256 string
			Roles        []string
		}
	}
	g.Expect(json.Unmarshal([]byte(r.out), &made)).To(Succeed())
	g.Expect(made.Token).To(HavePrefix("moor_"))
	g.Expect(made.Entry.SHA256).To(MatchRegexp(`^[0-9a-f]{64}$`))
	g.Expect(made.Entry.Roles).To(Equal([]string{"developer:acme/prod", "auditor"}))

	r = moor(t, "", "create-token", "ci", "--role", "auditor", "--expires", "1h")
	g.Expect(r.out).To(And(ContainSubstring("tokens:\n- name: ci\n  sha256: "), ContainSubstring("\n  roles:\n  - auditor\n  expires: ")))
	entry := r.out[strings.Index(r.out, "tokens:"):]
	g.Expect(entry).NotTo(ContainSubstring("moor_"), "the token itself is not written down")
}
