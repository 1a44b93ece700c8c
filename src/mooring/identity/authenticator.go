package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"mooring/access"
)

// Authenticator finds out who calls. It is safe for concurrent use.
type Authenticator struct {
	local, open  bool
	certificates []rule
	tokens       map[[32]byte]token // by the hash of the token
	issuers      []*issuer
	anyone       []access.Role
	now          func() time.Time
}

// rule gives roles to certificates; an empty name or unit is any.
type rule struct {
	name, unit string
	roles      []access.Role
	// ownCell: the certificate is that of the cell it names.
	ownCell bool
}

// token is one bearer token that the configuration names.
type token struct {
	name    string
	roles   []access.Role
	expires time.Time // zero: never
}

// Cookie is the cookie in which a browser keeps its token.
const Cookie = "mooring_token"

// tokenPrefix marks our tokens, for those who look for secrets that leaked.
const tokenPrefix = "moor_"

// Local believes everybody: for an API that only its own machine reaches.
// Callers are operators, and who they say they are.
func Local() *Authenticator { return &Authenticator{local: true} }

// Open believes everybody from anywhere. It is for networks that nobody else is
// in.
func Open() *Authenticator { return &Authenticator{local: true, open: true} }

// NewToken gives a new bearer token and its hash as the configuration has it.
func NewToken() (secret, hash string) {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	secret = tokenPrefix + base64.RawURLEncoding.EncodeToString(random)
	sum := sha256.Sum256([]byte(secret))
	return secret, hex.EncodeToString(sum[:])
}

// errUnavailable: who calls cannot be found out now.
var errUnavailable = errors.New("cannot be checked now")

// Identify gives who makes a request. The error says what is wrong with what
// the request shows, or that it shows nothing.
func (a *Authenticator) Identify(r *http.Request) (*access.Actor, error) {
	if a.local {
		return a.neighbour(r)
	}
	if header := r.Header.Get("Authorization"); header != "" {
		secret, found := cutBearer(header)
		if !found {
			return nil, errors.New("the header Authorization has no bearer token; write: Authorization: Bearer TOKEN")
		}
		return a.Token(r, secret)
	}
	// A browser sends the cookie whatever else it has: one that has run out
	// must not keep out who has a certificate.
	cookie, err := r.Cookie(Cookie)
	if err == nil {
		actor, problem := a.Token(r, cookie.Value)
		if problem == nil {
			return actor, nil
		}
		err = problem
	}
	switch {
	case r.TLS != nil && len(r.TLS.VerifiedChains) > 0:
		return a.holder(r.TLS.VerifiedChains[0][0])
	case len(a.anyone) > 0:
		return &access.Actor{Name: "nobody", How: "nobody", Roles: a.anyone}, nil
	case errors.Is(err, http.ErrNoCookie):
		return nil, access.ErrNobody
	}
	return nil, err
}

func cutBearer(header string) (string, bool) {
	scheme, secret, _ := strings.Cut(header, " ")
	return strings.TrimSpace(secret), strings.EqualFold(scheme, "bearer") && secret != ""
}

// neighbour is whoever is on the same machine. A page of another site that a
// browser there shows can reach it too, under a name of its own: names are
// refused.
func (a *Authenticator) neighbour(r *http.Request) (*access.Actor, error) {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !a.open && !access.Loopback(host) {
		return nil, fmt.Errorf("this API is for its own machine and was called as %s; call it as 127.0.0.1 or localhost", r.Host)
	}
	return &access.Actor{Name: "local", How: "local", Declares: true, Roles: []access.Role{{Kind: access.Operator}, {Kind: access.Cell}}}, nil
}

// holder gives who holds a certificate that a CA of ours has signed.
func (a *Authenticator) holder(certificate *x509.Certificate) (*access.Actor, error) {
	subject := certificate.Subject
	if subject.CommonName == "" || access.Reserved(subject.CommonName) {
		return nil, fmt.Errorf("the certificate's common name is %q, which cannot be the name of a caller; issue one with another", subject.CommonName)
	}
	actor := &access.Actor{Name: subject.CommonName, How: "certificate"}
	for _, rule := range a.certificates {
		if rule.name != "" && rule.name != subject.CommonName || rule.unit != "" && !slices.Contains(subject.OrganizationalUnit, rule.unit) {
			continue
		}
		actor.Roles = append(actor.Roles, rule.roles...)
		if rule.ownCell {
			actor.Roles = append(actor.Roles, access.Role{Kind: access.Cell, CellID: subject.CommonName})
		}
	}
	return actor, nil
}

// Token gives who holds a bearer token.
func (a *Authenticator) Token(r *http.Request, secret string) (*access.Actor, error) {
	if known, found := a.tokens[sha256.Sum256([]byte(secret))]; found {
		if !known.expires.IsZero() && !a.now().Before(known.expires) {
			return nil, fmt.Errorf("the token %s has run out at %s", known.name, known.expires.Format(time.RFC3339))
		}
		return &access.Actor{Name: known.name, How: "token", Roles: known.roles}, nil
	}
	if strings.Count(secret, ".") != 2 || len(a.issuers) == 0 {
		return nil, errors.New("the token is not known here")
	}
	named := issuerOf(secret)
	for _, issuer := range a.issuers {
		if issuer.url == named {
			return issuer.actor(r.Context(), secret, a.now)
		}
	}
	return nil, fmt.Errorf("the token was issued by %q, who is not believed here", named)
}
