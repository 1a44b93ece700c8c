package devtest

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"mooring/director/fakedirector"
)

// ServeDirector serves a Director over TLS until the test ends, and gives the
// NAME=VALUE settings by which a control plane knows it as the client moor,
// whose secret is "secret".
func ServeDirector(t testing.TB, director *fakedirector.Director) []string {
	t.Helper()
	server := httptest.NewTLSServer(director)
	t.Cleanup(server.Close)
	director.At(server.URL)
	dir := t.TempDir()
	ca, secret := filepath.Join(dir, "ca"), filepath.Join(dir, "secret")
	for path, content := range map[string][]byte{
		ca:     pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		secret: []byte("secret\n"),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{
		"MOORING_DIRECTOR=" + server.URL, "MOORING_DIRECTOR_CA=" + ca,
		"MOORING_DIRECTOR_CLIENT=moor", "MOORING_DIRECTOR_SECRET_FILE=" + secret,
	}
}
