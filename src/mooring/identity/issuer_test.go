package identity

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/access"
)

// uaa is an issuer with the routes of a UAA that matter.
type uaa struct {
	*httptest.Server
	key  *rsa.PrivateKey
	ca   string // file
	down atomic.Bool
}

func newUAA(t *testing.T) *uaa {
	t.Helper()
	g := NewWithT(t)
	u := &uaa{}
	var err error
	u.key, err = rsa.GenerateKey(rand.Reader, 2048)
	g.Expect(err).NotTo(HaveOccurred())
	u.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case u.down.Load():
			http.Error(w, "down", http.StatusBadGateway)
		case r.URL.Path == "/oauth/token/.well-known/openid-configuration":
			_ = json.NewEncoder(w).Encode(map[string]any{"issuer": u.issuer(), "jwks_uri": u.URL + "/token_keys", "id_token_signing_alg_values_supported": []string{"RS256"}})
		case r.URL.Path == "/token_keys":
			_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "key-1", "alg": "RS256", "use": "sig",
				"n": encode(u.key.N.Bytes()), "e": encode(big.NewInt(int64(u.key.E)).Bytes())}}})
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(u.Close)
	u.ca = filepath.Join(t.TempDir(), "ca.pem")
	g.Expect(os.WriteFile(u.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: u.Certificate().Raw}), 0o600)).To(Succeed())
	return u
}

func (u *uaa) issuer() string { return u.URL + "/oauth/token" }

func encode(content []byte) string { return base64.RawURLEncoding.EncodeToString(content) }

// token signs what the UAA gives to a user, with changes.
func (u *uaa) token(t *testing.T, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{"iss": u.issuer(), "aud": []string{"mooring", "openid"}, "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
		"sub": "5a1c", "user_name": "olga", "client_id": "cf", "scope": []string{"openid", "mooring.operator"}}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	payload, err := json.Marshal(claims)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	signed := encode([]byte(`{"alg":"RS256","kid":"key-1","typ":"JWT"}`)) + "." + encode(payload)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, u.key, crypto.SHA256, sum[:])
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return signed + "." + encode(signature)
}

func (u *uaa) config(more string) string {
	return fmt.Sprintf(`
issuers:
- url: %s
  audience: mooring
  ca: %s
  groups:
  - {group: mooring.operator, roles: [operator]}
  - {group: mooring.acme, roles: ["developer:acme", auditor]}
%s`, u.issuer(), u.ca, more)
}

func TestATokenOfTheUAASaysWhoCalls(t *testing.T) {
	g := NewWithT(t)
	u := newUAA(t)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, keys := range []string{"", "  keys_url: " + u.URL + "/token_keys"} {
		a := configured(t, u.config(keys))
		g.Expect(a.Token(r, u.token(t, nil))).To(HaveValue(Equal(access.Actor{Name: "olga", How: u.issuer(), Roles: []access.Role{{Kind: access.Operator}}})))
		g.Expect(a.Token(r, u.token(t, map[string]any{"user_name": nil, "scope": "mooring.acme x"}))).To(And(HaveField("Name", "cf"), HaveField("Roles", HaveLen(2))))
		g.Expect(a.Token(r, u.token(t, map[string]any{"scope": []string{"cloud_controller.admin"}}))).To(HaveField("Roles", BeEmpty()), "who is known may have no role")

		for complaint, changes := range map[string]map[string]any{
			"expected audience":      {"aud": []string{"cloud_controller"}},
			"token is expired":       {"exp": time.Now().Add(-time.Minute).Unix()},
			"is not believed here":   {"iss": "https://evil.example.com/oauth/token"},
			"the name of a caller":   {"user_name": "gate"},
			"set name_claim to a cl": {"user_name": nil, "client_id": nil, "sub": nil},
		} {
			_, err := a.Token(r, u.token(t, changes))
			g.Expect(err).To(MatchError(ContainSubstring(complaint)))
		}
		forger := newUAA(t)
		_, err := a.Token(r, forger.token(t, map[string]any{"iss": u.issuer()}))
		g.Expect(err).To(MatchError(ContainSubstring("failed to verify signature")))
		unsigned := encode([]byte(`{"alg":"none"}`)) + "." + encode(fmt.Appendf(nil, `{"iss":%q,"aud":"mooring","exp":4102444800,"user_name":"olga","scope":["mooring.operator"]}`, u.issuer())) + "."
		_, err = a.Token(r, unsigned)
		g.Expect(err).To(HaveOccurred())
	}
}

func TestAUAAThatIsDownIsAskedAgain(t *testing.T) {
	g := NewWithT(t)
	u := newUAA(t)
	u.down.Store(true)
	a := configured(t, u.config(""))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	_, err := a.Token(r, u.token(t, nil))
	g.Expect(Refusal(err)).To(HaveField("Status", http.StatusServiceUnavailable), "that is not the caller's fault")
	u.down.Store(false)
	g.Expect(a.Token(r, u.token(t, nil))).To(HaveField("Name", "olga"))
}
