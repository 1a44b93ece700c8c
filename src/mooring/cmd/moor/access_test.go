package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/urfave/cli/v2"

	"mooring/identity"
)

// callersOf reads the flags as the API does.
func callersOf(t *testing.T, server *tls.Config, args ...string) (found *identity.Authenticator, err error) {
	t.Helper()
	app := &cli.App{Flags: append(accessFlags(), listenFlag), Action: func(c *cli.Context) error {
		found, err = callers(c, server)
		return nil
	}}
	NewWithT(t).Expect(app.Run(append([]string{"moor"}, args...))).To(Succeed())
	return found, err
}

func TestNobodyIsLetInByMistake(t *testing.T) {
	g := NewWithT(t)
	for _, listen := range []string{"0.0.0.0:7770", ":7770", "10.0.0.6:7770", "[::]:7770"} {
		_, err := callersOf(t, nil, "--listen", listen)
		g.Expect(err).To(MatchError(ContainSubstring("say who may do what with --access FILE, listen on 127.0.0.1, or mean it with --insecure-open")), listen)
		g.Expect(callersOf(t, nil, "--listen", listen, "--insecure-open")).NotTo(BeNil())
		_, err = callersOf(t, &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert}, "--listen", listen)
		g.Expect(err).To(HaveOccurred(), "a certificate says who calls, and not what for")
	}
	local, err := callersOf(t, nil)
	g.Expect(err).NotTo(HaveOccurred())
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:7770/", nil)
	g.Expect(local.Identify(r)).To(HaveField("Declares", true))

	_, err = callersOf(t, nil, "--listen", "nowhere")
	g.Expect(err).To(MatchError(ContainSubstring("is not an address such as 127.0.0.1:7770")))
	_, err = callersOf(t, nil, "--access", "/nowhere")
	g.Expect(err).To(MatchError(ContainSubstring("/nowhere")))
	_, err = callersOf(t, nil, "--access", "x", "--insecure-open")
	g.Expect(err).To(MatchError(ContainSubstring("exclude each other")))
}

func TestWhoHasATokenNeedsNoCertificate(t *testing.T) {
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "access.yml")
	g.Expect(os.WriteFile(file, []byte("certificates: [{unit: operators, roles: [operator]}]"), 0o600)).To(Succeed())
	server := &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert}
	strict, err := callersOf(t, server, "--listen", "0.0.0.0:7770", "--access", file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(server.ClientAuth).To(Equal(tls.VerifyClientCertIfGiven))
	_, err = strict.Identify(httptest.NewRequest(http.MethodGet, "http://127.0.0.1:7770/", nil))
	g.Expect(err).To(HaveOccurred(), "being near is no proof any more")
}
