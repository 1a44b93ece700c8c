package identity

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/goccy/go-yaml"

	"mooring/access"
	"mooring/model"
)

// file is how it is written who callers are.
type file struct {
	Certificates []fileCertificate `json:"certificates"`
	Tokens       []fileToken       `json:"tokens"`
	Issuers      []fileIssuer      `json:"issuers"`
	// Anyone are the roles of callers who prove nothing.
	Anyone []string `json:"anyone"`
}

// fileCertificate matches certificates by their subject: by common name, by
// organizational unit, or by both.
type fileCertificate struct {
	Name  string   `json:"name"`
	Unit  string   `json:"unit"`
	Roles []string `json:"roles"`
}

// fileToken is a token, of which only the hash is written down.
type fileToken struct {
	Name    string    `json:"name"`
	SHA256  string    `json:"sha256"`
	Roles   []string  `json:"roles"`
	Expires time.Time `json:"expires"`
}

// fileIssuer is who signs tokens that are believed.
type fileIssuer struct {
	URL      string      `json:"url"`
	Audience string      `json:"audience"`
	CA       string      `json:"ca"`
	KeysURL  string      `json:"keys_url"`
	Name     string      `json:"name_claim"`
	Groups   string      `json:"groups_claim"`
	Roles    []fileGroup `json:"groups"`
}

type fileGroup struct {
	Group string   `json:"group"`
	Roles []string `json:"roles"`
}

// ownCell in the place of a cell's ID is the common name of the certificate.
const ownCell = "cell:{name}"

// Load reads who callers are from a YAML file. The error says all that is
// wrong with it.
func Load(path string) (*Authenticator, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read who may do what: %w", err)
	}
	a, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

func parse(content []byte) (*Authenticator, error) {
	var in file
	err := yaml.NewDecoder(bytes.NewReader(content), yaml.Strict()).Decode(&in)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	r := &reader{}
	a := &Authenticator{tokens: map[[32]byte]token{}, now: time.Now}
	for i, c := range in.Certificates {
		a.certificates = append(a.certificates, r.certificate(fmt.Sprintf("certificates[%d]", i), c))
	}
	for i, t := range in.Tokens {
		sum, read := r.token(fmt.Sprintf("tokens[%d]", i), t)
		if _, twice := a.tokens[sum]; twice && sum != [32]byte{} {
			r.wrong(fmt.Sprintf("tokens[%d].sha256", i), "is there twice; every token has one name")
		}
		a.tokens[sum] = read
	}
	for i, issuer := range in.Issuers {
		a.issuers = append(a.issuers, r.issuer(fmt.Sprintf("issuers[%d]", i), issuer))
	}
	for i, text := range in.Anyone {
		where := fmt.Sprintf("anyone[%d]", i)
		role := r.role(where, text)
		if role.Kind != "" && role.Kind != access.Auditor && role.Kind != access.Scraper {
			r.wrong(where, "%s changes things; callers who prove nothing can be auditor or scraper", text)
		}
		a.anyone = append(a.anyone, role)
	}
	if len(r.problems) == 0 && len(a.certificates)+len(a.tokens)+len(a.issuers) == 0 {
		r.wrong("", "nobody could do anything: give certificates, tokens or issuers")
	}
	return a, r.problems.Err()
}

// reader collects what is wrong with a file.
type reader struct{ problems model.Problems }

func (r *reader) wrong(where, format string, args ...any) {
	r.problems = append(r.problems, model.Problem{Where: where, What: fmt.Sprintf(format, args...)})
}

func (r *reader) certificate(where string, c fileCertificate) rule {
	if c.Name == "" && c.Unit == "" {
		r.wrong(where, "give name (the common name), unit (the organizational unit) or both")
	}
	read := rule{name: c.Name, unit: c.Unit}
	for i, text := range c.Roles {
		if text == ownCell {
			read.ownCell = true
			continue
		}
		read.roles = append(read.roles, r.role(fmt.Sprintf("%s.roles[%d]", where, i), text))
	}
	r.some(where, len(c.Roles))
	return read
}

func (r *reader) token(where string, t fileToken) (sum [32]byte, read token) {
	r.name(where+".name", t.Name)
	hash, err := hex.DecodeString(t.SHA256)
	if err != nil || len(hash) != len(sum) {
		r.wrong(where+".sha256", "is not the SHA-256 of a token in hexadecimal; moor create-token makes both")
	} else {
		copy(sum[:], hash)
	}
	return sum, token{name: t.Name, roles: r.roles(where, t.Roles), expires: t.Expires}
}

func (r *reader) issuer(where string, in fileIssuer) *issuer {
	for _, address := range []struct {
		field, text string
		needed      bool
	}{{"url", in.URL, true}, {"keys_url", in.KeysURL, false}} {
		if parsed, err := url.Parse(address.text); (address.needed || address.text != "") && (err != nil || parsed.Scheme != "https" || parsed.Host == "") {
			r.wrong(where+"."+address.field, "%q is not an address such as https://uaa.example.com/oauth/token", address.text)
		}
	}
	if in.Audience == "" {
		r.wrong(where+".audience", "is missing; name the audience of tokens that are meant for Mooring, or tokens for anything would do")
	}
	read := &issuer{url: in.URL, audience: in.Audience, keysURL: in.KeysURL, nameClaim: in.Name, groupsClaim: in.Groups, groups: map[string][]access.Role{}}
	if read.nameClaim == "" {
		read.nameClaim = "user_name"
	}
	if read.groupsClaim == "" {
		read.groupsClaim = "scope"
	}
	if len(in.Roles) == 0 {
		r.wrong(where+".groups", "is missing; say which groups have which roles")
	}
	for i, group := range in.Roles {
		at := fmt.Sprintf("%s.groups[%d]", where, i)
		if group.Group == "" {
			r.wrong(at+".group", "is missing")
		}
		read.groups[group.Group] = append(read.groups[group.Group], r.roles(at, group.Roles)...)
	}
	var err error
	if read.http, err = clientFor(in.CA); err != nil {
		r.wrong(where+".ca", "%v", err)
	}
	return read
}

func (r *reader) name(where, name string) {
	switch {
	case name == "":
		r.wrong(where, "is missing; it is kept with everything that is done")
	case access.Reserved(name):
		r.wrong(where, "%q is what the system itself signs with; choose another", name)
	}
}

func (r *reader) roles(where string, texts []string) []access.Role {
	var roles []access.Role
	for i, text := range texts {
		roles = append(roles, r.role(fmt.Sprintf("%s.roles[%d]", where, i), text))
	}
	r.some(where, len(roles))
	return roles
}

func (r *reader) some(where string, roles int) {
	if roles == 0 {
		r.wrong(where+".roles", "is missing; without a role nothing is allowed")
	}
}

func (r *reader) role(where, text string) access.Role {
	role, err := access.ParseRole(text)
	if err != nil {
		r.wrong(where, "%v", err)
	}
	return role
}
