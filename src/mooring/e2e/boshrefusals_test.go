package e2e

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/dev/devtest"
	"mooring/director/fakedirector"
)

// front is the address of a Director that can be exchanged for another.
type front struct {
	*httptest.Server
	director    atomic.Pointer[fakedirector.Director]
	certificate atomic.Pointer[tls.Certificate]
}

func newFront(t *testing.T) *front {
	f := &front{}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.director.Load().ServeHTTP(w, r) }))
	f.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{*f.certificate.Load()}}, nil
	}}
	f.StartTLS()
	t.Cleanup(f.Close)
	return f
}

// become puts another Director at the address, for callers that connect anew.
func (f *front) become(t *testing.T, cfg fakedirector.Config, certificate *tls.Certificate) *fakedirector.Director {
	d := fakedirector.New(cfg)
	d.At(f.URL)
	t.Cleanup(d.Close)
	f.director.Store(d)
	f.certificate.Store(certificate)
	f.CloseClientConnections()
	return d
}

// What BOSH could not carry out is refused when the plan is made, or looked at
// beforehand: it says what is wrong, where, and what to do. Nothing is changed.
func TestAPlanThatBOSHCouldNotCarryOutIsRefused(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	certificate := ours.server()
	f := newFront(t)
	ours.write("secret", []byte("secret\n"))
	fleet := devtest.StartWith(t, []string{
		"MOORING_DIRECTOR=" + f.URL, "MOORING_DIRECTOR_CA=" + ours.path("ca.pem"),
		"MOORING_DIRECTOR_CLIENT=moor", "MOORING_DIRECTOR_SECRET_FILE=" + ours.path("secret"),
	}, "--cells", "2", "--azs", "1")

	good := fakedirector.Config{Deployment: "mooring", Group: "cell", AZs: []string{"z1"}, User: "moor", Password: "secret", UAA: true,
		Instances: []*fakedirector.Instance{{ID: "cell-0", AZ: "z1"}, {ID: "cell-1", AZ: "z1", Index: 1}}}
	but := func(change func(*fakedirector.Config)) fakedirector.Config {
		cfg := good
		change(&cfg)
		return cfg
	}
	for _, row := range []struct {
		what        string
		director    fakedirector.Config
		certificate *tls.Certificate
		plan        string // its cells and where they are
		says        []string
	}{
		{"a Director too old to act on chosen cells", but(func(cfg *fakedirector.Config) { cfg.Version = "280.1.14" }), certificate,
			"--cells cell-0 --via-bosh mooring/cell",
			[]string{"the Director has version 280.1.14", "can silently drop jobs", "upgrade it to 280.1.15, or roll the whole instance group"}},
		{"a certificate of another CA", good, others.server(),
			"--cells all --via-bosh mooring/cell",
			[]string{"the Director at " + f.Listener.Addr().String(), "shows a certificate that the CA given does not vouch for", "give the CA of the Director"}},
		{"a deployment that is not there", good, certificate,
			"--cells all --via-bosh other/cell",
			[]string{"Deployment 'other' doesn't exist (code 70000)", "see: bosh deployments"}},
		{"a group that is not there", good, certificate,
			"--cells all --via-bosh mooring/router",
			[]string{"deployment mooring has no instance group router", "see: bosh -d mooring instances"}},
		{"credentials that the UAA does not know", but(func(cfg *fakedirector.Config) { cfg.Password = "another" }), certificate,
			"--cells all --via-bosh mooring/cell",
			[]string{"log in at " + f.URL + " as moor", "the login was refused; check the client and its secret", "Bad credentials"}},
		{"credentials that the Director does not know", but(func(cfg *fakedirector.Config) { cfg.Password, cfg.UAA = "another", false }), certificate,
			"--cells all --via-bosh mooring/cell",
			[]string{"log in to the Director as moor", "the login was refused; check the client and its secret"}},
	} {
		t.Run(row.what, func(t *testing.T) {
			g := NewWithT(t)
			director := f.become(t, row.director, row.certificate)
			for _, command := range []string{"preview", "roll --name p"} {
				out, err := fleet.Sh("moor " + command + " --action recreate " + row.plan)
				g.Expect(err).To(HaveOccurred(), out)
				for _, says := range append(row.says, "via") {
					g.Expect(out).To(ContainSubstring(says), command)
				}
			}
			g.Expect(fleet.Must("moor rolls --json")).To(MatchJSON("[]"), "no plan is left")
			g.Expect(fleet.Must("moor cells | grep -c cordoned || true")).To(HavePrefix("0"))
			g.Expect(director.Tasks()).To(BeZero())
		})
	}

	t.Run("the same Director, put right", func(t *testing.T) {
		director := f.become(t, good, certificate)
		fleet.Must("moor roll --name p --action recreate --cells cell-0 --via-bosh mooring/cell")
		NewWithT(t).Eventually(director.Tasks, "30s").Should(Equal(1))
	})
}
