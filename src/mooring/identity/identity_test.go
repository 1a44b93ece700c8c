package identity

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/access"
)

// server is an HTTPS server that says who called: anyone who may look at
// something on GET, whoever may start plans on POST.
type server struct {
	*httptest.Server
	ca *authority
}

func serve(t *testing.T, a *Authenticator) *server {
	t.Helper()
	s := &server{ca: newAuthority(t)}
	who := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, _ := access.From(r.Context())
		_ = json.NewEncoder(w).Encode(actor)
	})
	on := func(*http.Request) access.Object { return access.Thing("the fleet") }
	mux := http.NewServeMux()
	mux.Handle("GET /", Require(access.Look, on, who))
	mux.Handle("POST /", Require(access.Plan, on, who))
	s.Server = httptest.NewUnstartedServer(a.Wrap(mux))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{s.ca.issue(t, "api")}, ClientCAs: s.ca.pool, ClientAuth: tls.VerifyClientCertIfGiven}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are what is tested
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// call is one request over TLS, with a client certificate or none.
func (s *server) call(t *testing.T, method string, certificate *tls.Certificate, header ...string) (int, string, error) {
	t.Helper()
	cfg := &tls.Config{RootCAs: s.ca.pool}
	if certificate != nil {
		// Shown whether or not the server knows its CA.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
	}
	transport := &http.Transport{TLSClientConfig: cfg}
	defer transport.CloseIdleConnections()
	request, _ := http.NewRequestWithContext(t.Context(), method, s.URL, nil)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}

// status is call for who only wants to know whether it went through.
func (s *server) status(t *testing.T, method string, certificate *tls.Certificate, header ...string) int {
	t.Helper()
	status, _, err := s.call(t, method, certificate, header...)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return status
}

func configured(t *testing.T, text string) *Authenticator {
	t.Helper()
	a, err := parse([]byte(text))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return a
}

func TestACertificateSaysWhoCallsAndItsUnitWhatFor(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, configured(t, `
certificates:
- {unit: operators, roles: [operator]}
- {name: web-ci, roles: ["developer:acme/web"]}
- {unit: cells, roles: ["cell:{name}"]}
`))
	olga, ci, cell, stranger := s.ca.issue(t, "olga", "operators"), s.ca.issue(t, "web-ci"), s.ca.issue(t, "c1", "cells"), s.ca.issue(t, "somebody", "marketing")

	g.Expect(s.status(t, "POST", &olga)).To(Equal(200))
	_, said, _ := s.call(t, "GET", &olga)
	g.Expect(said).To(MatchJSON(`{"name":"olga","how":"certificate","roles":["operator"]}`))
	g.Expect(s.status(t, "GET", &ci)).To(Equal(200))
	status, said, _ := s.call(t, "POST", &ci)
	g.Expect(status).To(Equal(403))
	g.Expect(said).To(MatchJSON(`{"title":"Forbidden","status":403,"actor":"web-ci (developer:acme/web)","right":"start or steer","object":"the fleet",
		"detail":"web-ci (developer:acme/web) may not start or steer the fleet: that takes the role operator"}`))
	_, said, _ = s.call(t, "POST", &cell)
	g.Expect(said).To(ContainSubstring(`c1 (cell:c1) may not`))
	status, said, _ = s.call(t, "GET", &stranger)
	g.Expect(status).To(Equal(403), "who is known may do nothing without a role")
	g.Expect(said).To(ContainSubstring("somebody (no role) may not look at"))

	status, said, _ = s.call(t, "GET", nil)
	g.Expect(status).To(Equal(401))
	g.Expect(said).To(ContainSubstring("nobody is logged in; log in with a token or a client certificate"))

	forged := newAuthority(t).issue(t, "olga", "operators")
	_, _, err := s.call(t, "GET", &forged)
	g.Expect(err).To(HaveOccurred(), "a certificate of another CA ends the handshake")
	reserved := s.ca.issue(t, "orchestrator", "operators")
	g.Expect(s.status(t, "GET", &reserved)).To(Equal(401))
}

func TestATokenSaysWhoCalls(t *testing.T) {
	g := NewWithT(t)
	secret, hash := NewToken()
	old, oldHash := NewToken()
	s := serve(t, configured(t, fmt.Sprintf(`
certificates:
- {unit: operators, roles: [operator]}
tokens:
- {name: nina, sha256: %s, roles: [auditor], expires: 2999-01-01T00:00:00Z}
- {name: leaver, sha256: %s, roles: [operator], expires: 2020-01-01T00:00:00Z}
`, hash, oldHash)))
	g.Expect(secret).To(HavePrefix("moor_"))
	_, said, _ := s.call(t, "GET", nil, "Authorization", "Bearer "+secret)
	g.Expect(said).To(MatchJSON(`{"name":"nina","how":"token","roles":["auditor"]}`))
	g.Expect(s.status(t, "POST", nil, "Authorization", "Bearer "+secret)).To(Equal(403))
	g.Expect(s.status(t, "GET", nil, "Cookie", Cookie+"="+secret)).To(Equal(200), "a browser that has signed in")

	for header, complaint := range map[string]string{
		"Bearer " + old:      "the token leaver has run out",
		"Bearer moor_wrong":  "the token is not known here",
		"Bearer a.b.c":       "the token is not known here",
		"Bearer":             "write: Authorization: Bearer TOKEN",
		"Basic b2xnYTpzZWNy": "write: Authorization: Bearer TOKEN",
	} {
		olga := s.ca.issue(t, "olga", "operators")
		status, said, _ := s.call(t, "GET", &olga, "Authorization", header)
		g.Expect(status).To(Equal(401), "what was shown and is wrong is not passed over")
		g.Expect(said).To(ContainSubstring(complaint))
	}
	olga := s.ca.issue(t, "olga", "operators")
	g.Expect(s.status(t, "GET", &olga, "Cookie", Cookie+"="+old)).To(Equal(200), "an old cookie keeps nobody out who has a certificate")
	_, said, _ = s.call(t, "GET", nil, "Cookie", Cookie+"="+old)
	g.Expect(said).To(ContainSubstring("the token leaver has run out"))
}

func TestPagesOfOtherSitesChangeNothing(t *testing.T) {
	g := NewWithT(t)
	secret, hash := NewToken()
	s := serve(t, configured(t, fmt.Sprintf("tokens: [{name: olga, sha256: %s, roles: [operator]}]", hash)))
	cookie := []string{"Cookie", Cookie + "=" + secret}
	g.Expect(s.status(t, "POST", nil, append(cookie, "Sec-Fetch-Site", "same-origin")...)).To(Equal(200))
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example.com"}} {
		status, said, _ := s.call(t, "POST", nil, append(header, cookie...)...)
		g.Expect(status).To(Equal(403))
		g.Expect(said).To(ContainSubstring("another site"))
	}
}

func TestWhoProvesNothingMayLookWhereThatIsSaid(t *testing.T) {
	g := NewWithT(t)
	s := serve(t, configured(t, "anyone: [auditor]\ncertificates: [{unit: operators, roles: [operator]}]"))
	_, said, _ := s.call(t, "GET", nil)
	g.Expect(said).To(MatchJSON(`{"name":"nobody","how":"nobody","roles":["auditor"]}`))
	g.Expect(s.status(t, "POST", nil)).To(Equal(403))
}

func TestOnOnesOwnMachineEverybodyIsAnOperator(t *testing.T) {
	g := NewWithT(t)
	identify := func(host string) (*access.Actor, error) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		return Local().Identify(r)
	}
	for _, host := range []string{"127.0.0.1:7770", "localhost:7770", "localhost", "[::1]:7770", "127.83.0.1"} {
		g.Expect(identify(host)).To(And(HaveField("Declares", true), HaveField("Roles", ContainElement(access.Role{Kind: access.Operator}))), host)
	}
	_, err := identify("rebound.example.com:7770")
	g.Expect(err).To(MatchError(ContainSubstring("call it as 127.0.0.1")))
}

func TestAConfigurationThatMakesNoSense(t *testing.T) {
	for text, complaint := range map[string]string{
		"":                                    "nobody could do anything",
		"tokns: []":                           "unknown field",
		"certificates: [{roles: [operator]}]": "certificates[0]: give name (the common name), unit (the organizational unit) or both",
		"certificates: [{unit: x}]":           "certificates[0].roles: is missing",
		"certificates: [{unit: x, roles: [admin]}]":                                                          `certificates[0].roles[0]: "admin" is no role`,
		"tokens: [{name: x, sha256: abc, roles: [auditor]}]":                                                 "tokens[0].sha256: is not the SHA-256",
		"tokens: [{name: gate, sha256: abc, roles: [auditor]}]":                                              "tokens[0].name: \"gate\" is what the system itself signs with",
		"tokens: [{sha256: abc, roles: [auditor]}]":                                                          "tokens[0].name: is missing",
		"anyone: [operator]":                                                                                 "anyone[0]: operator changes things",
		"issuers: [{url: 'http://uaa', audience: a, groups: [{group: g, roles: [auditor]}]}]":                "issuers[0].url",
		"issuers: [{url: 'https://uaa', groups: [{group: g, roles: [auditor]}]}]":                            "issuers[0].audience: is missing",
		"issuers: [{url: 'https://uaa', audience: a}]":                                                       "issuers[0].groups: is missing",
		"issuers: [{url: 'https://uaa', audience: a, ca: /nowhere, groups: [{group: g, roles: [auditor]}]}]": "issuers[0].ca",
		"tokens: [{name: x, sha256: " + strings.Repeat("ab", 32) + ", roles: [auditor]}, {name: y, sha256: " + strings.Repeat("ab", 32) + ", roles: [auditor]}]": "is there twice",
	} {
		_, err := parse([]byte(text))
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(complaint)), text)
	}
	_, err := Load("/nowhere")
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("read who may do what")))
}

func TestATokenThatRunsOutWhileItIsUsed(t *testing.T) {
	g := NewWithT(t)
	secret, hash := NewToken()
	a := configured(t, fmt.Sprintf("tokens: [{name: olga, sha256: %s, roles: [operator], expires: 2030-01-01T00:00:00Z}]", hash))
	end := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	a.now = func() time.Time { return end.Add(-time.Second) }
	g.Expect(a.Token(r, secret)).To(HaveField("Name", "olga"))
	a.now = func() time.Time { return end }
	_, err := a.Token(r, secret)
	g.Expect(err).To(MatchError(ContainSubstring("has run out")))
}

func TestTheExampleInTheDocsIsAConfiguration(t *testing.T) {
	g := NewWithT(t)
	page, err := os.ReadFile("../../../docs/access.md")
	g.Expect(err).NotTo(HaveOccurred())
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	g.Expect(found).To(BeTrue())
	a := configured(t, example)
	g.Expect(a.certificates).To(HaveLen(3))
	g.Expect(a.tokens).To(HaveLen(1))
	g.Expect(a.issuers).To(HaveLen(1))
	g.Expect(a.anyone).To(HaveLen(1))
}
