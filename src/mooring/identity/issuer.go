package identity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"mooring/access"
)

// issuer believes the tokens of one OpenID Connect issuer.
type issuer struct {
	url, audience, keysURL string
	nameClaim, groupsClaim string
	groups                 map[string][]access.Role
	http                   *http.Client

	mu       sync.Mutex
	verifier *oidc.IDTokenVerifier // nil until the issuer was reached
}

// issuerPatience bounds one call of an issuer.
const issuerPatience = 5 * time.Second

// clientFor calls an issuer that the certificates in a file vouch for; those of
// the host do when the name is empty.
func clientFor(ca string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", ca)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport, Timeout: issuerPatience}, nil
}

// issuerOf reads who a token says has issued it. Nothing is believed yet.
func issuerOf(raw string) string {
	var claims struct {
		Issuer string `json:"iss"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.Issuer
}

// keys gives what checks tokens; it asks the issuer once for where its keys
// are. An issuer that is down is asked again with the next token.
func (i *issuer) keys(now func() time.Time) (*oidc.IDTokenVerifier, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.verifier != nil {
		return i.verifier, nil
	}
	// The keys are fetched with this context for as long as the process lives.
	ctx := oidc.ClientContext(context.Background(), i.http)
	cfg := &oidc.Config{ClientID: i.audience, Now: now}
	if i.keysURL != "" {
		i.verifier = oidc.NewVerifier(i.url, oidc.NewRemoteKeySet(ctx, i.keysURL), cfg)
		return i.verifier, nil
	}
	provider, err := oidc.NewProvider(ctx, i.url)
	if err != nil {
		return nil, fmt.Errorf("the token %w: asking %s for its keys: %w", errUnavailable, i.url, err)
	}
	i.verifier = provider.Verifier(cfg)
	return i.verifier, nil
}

// actor gives who a token of this issuer was given to.
func (i *issuer) actor(ctx context.Context, raw string, now func() time.Time) (*access.Actor, error) {
	verifier, err := i.keys(now)
	if err != nil {
		return nil, err
	}
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("the token of %s is not good: %w", i.url, err)
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return nil, fmt.Errorf("the token of %s cannot be read: %w", i.url, err)
	}
	// The UAA has no user for a client that logged in by itself.
	name := first(claims, i.nameClaim, "client_id", "sub")
	if name == "" || access.Reserved(name) {
		return nil, errors.New("the token says nothing that can be the name of a caller; set name_claim to a claim that does")
	}
	actor := &access.Actor{Name: name, How: i.url}
	for _, group := range words(claims[i.groupsClaim]) {
		actor.Roles = append(actor.Roles, i.groups[group]...)
	}
	return actor, nil
}

// first gives the first of these claims that is a text.
func first(claims map[string]any, names ...string) string {
	for _, name := range names {
		if text, ok := claims[name].(string); ok && text != "" {
			return text
		}
	}
	return ""
}

// words reads a claim that is a list of texts, or one text with spaces, as
// OAuth has scopes.
func words(claim any) []string {
	switch value := claim.(type) {
	case string:
		return strings.Fields(value)
	case []any:
		var list []string
		for _, item := range value {
			if text, ok := item.(string); ok {
				list = append(list, text)
			}
		}
		return list
	}
	return nil
}
