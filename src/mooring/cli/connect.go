package cli

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/urfave/cli/v2"

	"mooring/client"
)

func globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "api", EnvVars: []string{"MOORING_API"}, Usage: "`URL` of the API; several separated by commas (default: that of moor target, or " + ownAPI + ")"},
		&cli.StringFlag{Name: "org", EnvVars: []string{"MOORING_ORG"}, Value: "default", Usage: "`ORG` of names that leave it out; moor target keeps another"},
		&cli.StringFlag{Name: "space", EnvVars: []string{"MOORING_SPACE"}, Value: "default", Usage: "`SPACE` of names that leave it out; moor target keeps another"},
		&cli.StringFlag{Name: "token", EnvVars: []string{"MOORING_TOKEN"}, Usage: "`TOKEN` to show to the API"},
		&cli.StringFlag{Name: "api-ca", EnvVars: []string{"MOORING_API_CA"}, Usage: "`FILE` with the certificates that the API is trusted by"},
		&cli.StringFlag{Name: "api-cert", EnvVars: []string{"MOORING_API_CERT"}, Usage: "`FILE` with the own certificate towards the API"},
		&cli.StringFlag{Name: "api-key", EnvVars: []string{"MOORING_API_KEY"}, Usage: "`FILE` with the key of --api-cert"},
	}
}

// ownAPI is where moor dev serves the API.
const ownAPI = "http://127.0.0.1:7770"

// targetOf gives which API a command calls, and as whom: what flags and
// variables say, and else what moor target and moor login have stored. What
// proves who calls goes to the API it was stored for, and to no other.
func targetOf(c *cli.Context) (target, error) {
	stored, err := loadTarget()
	if err != nil {
		return target{}, err
	}
	if api := c.String("api"); api != "" && api != stored.API {
		stored = target{API: api}
	}
	t := stored
	if token := c.String("token"); token != "" {
		t.Token = token
	}
	if cert, key := c.String("api-cert"), c.String("api-key"); cert != "" || key != "" {
		t.Cert, t.Key = cert, key
	}
	if file := c.String("api-ca"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return target{}, fmt.Errorf("read --api-ca: %w", err)
		}
		t.CA = string(pem)
	}
	t.API = cmp.Or(t.API, ownAPI)
	for name, into := range map[string]*string{"org": &t.Org, "space": &t.Space} {
		if c.IsSet(name) || *into == "" {
			*into = c.String(name)
		}
	}
	return t, nil
}

// connect gives a client for the target.
func (t *target) connect() (*client.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	config, err := t.tls()
	if err != nil {
		return nil, err
	}
	transport.TLSClientConfig = config
	return client.New(client.Config{Endpoints: []string{t.API}, HTTP: &http.Client{Transport: transport}, Token: t.Token})
}

// tls gives the configuration of a connection over TLS.
func (t *target) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(t.CA)) {
			return nil, errors.New("the CA that the API is to be trusted by holds no certificate")
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, errors.New("--api-cert and --api-key go together: give both or neither")
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("the certificate %s and the key %s: %w", t.Cert, t.Key, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
