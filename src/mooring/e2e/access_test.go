package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/dev/devtest"
	"mooring/model"
)

// guardedAPI is a control plane over TLS that lets in whom its file names.
type guardedAPI struct {
	*authority
	url    string
	tokens map[string]string
}

// startGuarded runs `moor control-plane` with certificates for operators and
// cells, and with tokens for others. Cells count as gone after ttl.
func startGuarded(t *testing.T, ttl string, tokens map[string]string) *guardedAPI {
	t.Helper()
	g := NewWithT(t)
	a := &guardedAPI{authority: newAuthority(t), tokens: map[string]string{}}
	a.issue("api", "")
	a.issue("olga", "mooring-operators")
	a.issue("cell-1", "mooring-cells")

	var list []any
	for name, role := range tokens {
		out, err := exec.Command(devtest.Moor(), "create-token", name, "--role", role, "--json").Output()
		g.Expect(err).NotTo(HaveOccurred())
		var made struct {
			Token string
			Entry any
		}
		g.Expect(json.Unmarshal(out, &made)).To(Succeed())
		a.tokens[name] = made.Token
		list = append(list, made.Entry)
	}
	content, err := json.Marshal(map[string]any{"tokens": list, "certificates": []any{
		map[string]any{"unit": "mooring-operators", "roles": []string{"operator"}},
		map[string]any{"unit": "mooring-cells", "roles": []string{"cell:{name}"}},
	}})
	g.Expect(err).NotTo(HaveOccurred())
	a.write("access.yml", content)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	address := listener.Addr().String()
	listener.Close()
	a.url = "https://" + address
	var said bytes.Buffer
	cmd := exec.Command(devtest.Moor(), "control-plane", "--embedded-etcd", filepath.Join(a.dir, "etcd"), "--listen", address, "--lease-ttl", ttl, "--access", a.path("access.yml"),
		"--tls-ca", a.path("ca.pem"), "--tls-cert", a.path("api.pem"), "--tls-key", a.path("api.key"))
	cmd.Stderr = &said
	g.Expect(cmd.Start()).To(Succeed())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the control plane said:\n%s", said.String())
		}
	})
	g.Eventually(func() error { _, err := a.as("olga", "cells"); return err }, "30s", "100ms").Should(Succeed())
	return a
}

// as runs moor as somebody: with a token when there is one of that name, else
// with a certificate. "" is nobody.
func (a *guardedAPI) as(name string, args ...string) (string, error) {
	cmd := exec.Command(devtest.Moor(), args...)
	cmd.Env = append(os.Environ(), "MOORING_HOME="+a.path("home"), "MOORING_API="+a.url, "MOORING_API_CA="+a.path("ca.pem"), "MOORING_ORG=acme", "MOORING_SPACE=a", "USER=somebody-else")
	switch token := a.tokens[name]; {
	case token != "":
		cmd.Env = append(cmd.Env, "MOORING_TOKEN="+token)
	case name != "":
		cmd.Env = append(cmd.Env, "MOORING_API_CERT="+a.path(name+".pem"), "MOORING_API_KEY="+a.path(name+".key"))
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

const stateless = `applications:
- name: web
  instances: 1
  memory: 16M
  command: exec sleep 86400
  health: {type: process}
  lifecycle: {max_interrupted: 1}
`

const stateful = `applications:
- name: db
  instances: 1
  memory: 16M
  command: exec sleep 86400
  health: {type: process}
  mounts: [{volume: db, path: /data}]
  lifecycle: {max_interrupted: 1, max_draining: 1, drain: {command: "true"}}
`

// A fleet whose control plane asks who calls: everybody does what their role
// covers, and is told who may when it does not.
func TestWhoMayDoWhat(t *testing.T) {
	g := NewWithT(t)
	a := startGuarded(t, "1s", map[string]string{"nina": "developer:acme/a", "max": "developer:acme/b", "ada": "auditor"})
	a.write("web.yml", []byte(stateless))
	must := func(out string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return out
	}
	refused := func(says, name string, args ...string) {
		t.Helper()
		out, err := a.as(name, args...)
		g.Expect(err).To(MatchError("exit status 1"), out)
		g.Expect(out).To(And(HavePrefix("moor: "), ContainSubstring(says)))
	}

	refused("who calls is not known: nobody is logged in", "", "apps")
	refused("moor login --token TOKEN", "", "apps")
	g.Expect(must(a.as("nina", "whoami"))).To(And(ContainSubstring("nina"), ContainSubstring("developer:acme/a")))
	g.Expect(must(a.as("olga", "whoami"))).To(And(ContainSubstring("certificate"), ContainSubstring("operator")))

	must(a.as("nina", "push", "-f", a.path("web.yml")))
	refused("max (developer:acme/b) may not change app acme/a/web: that takes one of the roles operator, developer:acme/a", "max", "push", "-f", a.path("web.yml"))
	refused("may not change app acme/a/web", "max", "scale", "web", "3")
	refused("may not change app acme/a/web", "ada", "delete", "web", "--force")
	refused("nina (developer:acme/a) may not start or steer plans: that takes the role operator", "nina", "roll", "--cells", "all", "--action", "reboot")
	g.Expect(must(a.as("ada", "apps"))).To(ContainSubstring("web"))

	events := must(a.as("ada", "events", "--app", "web", "--json"))
	g.Expect(events).To(And(ContainSubstring(`"nina"`), Not(ContainSubstring("somebody-else"))), "the history has who was authenticated")

	t.Run("a cell speaks for itself alone", func(t *testing.T) {
		g := NewWithT(t)
		out, err := a.as("cell-1", "cells")
		g.Expect(err).To(HaveOccurred())
		g.Expect(out).To(ContainSubstring("cell-1 (cell:cell-1) may not look at cells"))
		out, err = a.as("cell-1", "gate", "leave", "--cell", "cell-1", "--action", "reboot", "--dir", a.path("gate"))
		g.Expect(err).NotTo(HaveOccurred(), "%s", out)
	})
	t.Run("what is stuck is answered by whom it concerns", a.answersNeedTheRight)
	t.Run("the board", a.boardIsReadOnly)
}

// answersNeedTheRight has a cell vanish with a volume on it.
func (a *guardedAPI) answersNeedTheRight(t *testing.T) {
	g := NewWithT(t)
	pair, err := tls.LoadX509KeyPair(a.path("cell-1.pem"), a.path("cell-1.key"))
	g.Expect(err).NotTo(HaveOccurred())
	transport := a.transport()
	transport.TLSClientConfig.Certificates = []tls.Certificate{pair}
	defer transport.CloseIdleConnections()
	agent, err := client.New(client.Config{Endpoints: []string{a.url}, HTTP: &http.Client{Transport: transport}})
	g.Expect(err).NotTo(HaveOccurred())
	cell := model.Cell{ID: "cell-1", AZ: "z1", Pool: "default", Address: "127.0.0.1", Memory: model.Gigabyte, PortMin: 10000, PortMax: 10010, Boot: "b", Start: "s",
		Classes: []model.Class{{Name: model.ClassPersistent, Survives: model.Recreate, Capacity: model.Gigabyte}}}
	_, err = agent.Register(t.Context(), model.Registration{Cell: cell})
	g.Expect(err).NotTo(HaveOccurred())
	cell.ID = "cell-2"
	_, err = agent.Register(t.Context(), model.Registration{Cell: cell})
	g.Expect(err).To(MatchError(ContainSubstring("cell-1 (cell:cell-1) may not speak as cell cell-2")))
	a.write("db.yml", []byte(stateful))
	for _, args := range [][]string{{"create-volume-set", "db", "--count", "1", "--size", "1M"}, {"push", "-f", a.path("db.yml")}} {
		out, err := a.as("nina", args...)
		g.Expect(err).NotTo(HaveOccurred(), out)
	}
	// Cells have 15 s to make themselves heard to a new control plane.
	const id = "cell.cell-1.cell-gone"
	g.Eventually(func() (string, error) { return a.as("ada", "stuck") }, "60s", "200ms").Should(ContainSubstring("STUCK " + id))

	answer := []string{"resolve", id, "lost", "--reason", "the host burnt", "--confirm", "acme/a/db/0"}
	out, err := a.as("ada", answer...)
	g.Expect(err).To(MatchError("exit status 1"))
	g.Expect(out).To(ContainSubstring("ada (auditor) may not answer what is stuck"))
	out, err = a.as("nina", answer...)
	g.Expect(err).To(MatchError("exit status 1"))
	g.Expect(out).To(ContainSubstring("nina (developer:acme/a) may not answer " + id + " with lost: that takes the role operator"))
	out, err = a.as("olga", answer...)
	g.Expect(err).NotTo(HaveOccurred(), out)
	g.Eventually(func() (string, error) { return a.as("ada", "events", "--json") }, "20s", "100ms").
		Should(MatchRegexp(`(?s)"kind": "cell.lost",\s+"actor": "olga".*"reason": "the host burnt"`))
}

// transport trusts the API's CA.
func (a *guardedAPI) transport() *http.Transport {
	pool := x509.NewCertPool()
	pool.AddCert(a.ca)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return transport
}

// boardIsReadOnly signs in to the board with tokens: who has no right to steer
// is told so in every message, and is refused when trying all the same.
func (a *guardedAPI) boardIsReadOnly(t *testing.T) {
	g := NewWithT(t)
	transport := a.transport()
	defer transport.CloseIdleConnections()
	browser := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(method, path, body string, cookie *http.Cookie) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, a.url+path, strings.NewReader(body))
		g.Expect(err).NotTo(HaveOccurred())
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Content-Type", "application/json")
		if path == "/console/signin" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if cookie != nil {
			r.AddCookie(cookie)
		}
		answer, err := browser.Do(r)
		g.Expect(err).NotTo(HaveOccurred())
		t.Cleanup(func() { answer.Body.Close() })
		return answer
	}
	g.Expect(ask("GET", "/", "", nil)).To(HaveHTTPStatus(200), "the page itself says nothing")
	g.Expect(ask("GET", "/console/live", "", nil)).To(HaveHTTPStatus(401))
	g.Expect(ask("POST", "/console/signin", "token=wrong", nil)).To(HaveHTTPStatus(401))

	for name, may := range map[string]bool{"ada": false, "nina": false} {
		in := ask("POST", "/console/signin", "token="+a.tokens[name], nil)
		g.Expect(in).To(HaveHTTPStatus(303))
		cookie := in.Cookies()[0]
		g.Expect(cookie).To(And(HaveField("HttpOnly", true), HaveField("Secure", true), HaveField("SameSite", http.SameSiteStrictMode)))
		stream := ask("GET", "/console/live", "", cookie)
		g.Expect(stream).To(HaveHTTPStatus(200))
		first := make([]byte, 4096)
		n, err := io.ReadAtLeast(stream.Body, first, 200)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(first[:n])).To(ContainSubstring(fmt.Sprintf(`"may_act":%t`, may)))
		g.Expect(ask("PUT", "/v1/plans/any/intent", `{"intent":"abort","reason":"r"}`, cookie)).To(HaveHTTPStatus(403))
	}
}
