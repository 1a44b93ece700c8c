package cli

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"

	"github.com/urfave/cli/v2"

	"mooring/client"
)

func globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "api", EnvVars: []string{"MOORING_API"}, Value: "http://127.0.0.1:7770", Usage: "`URL` of the API; several separated by commas"},
		&cli.StringFlag{Name: "org", EnvVars: []string{"MOORING_ORG"}, Value: "default", Usage: "`ORG` of names that leave it out"},
		&cli.StringFlag{Name: "space", EnvVars: []string{"MOORING_SPACE"}, Value: "default", Usage: "`SPACE` of names that leave it out"},
		&cli.StringFlag{Name: "api-ca", EnvVars: []string{"MOORING_API_CA"}, Usage: "`FILE` with the certificates that the API is trusted by"},
		&cli.StringFlag{Name: "api-cert", EnvVars: []string{"MOORING_API_CERT"}, Usage: "`FILE` with the own certificate towards the API"},
		&cli.StringFlag{Name: "api-key", EnvVars: []string{"MOORING_API_KEY"}, Usage: "`FILE` with the key of --api-cert"},
	}
}

// connect gives the client that the global flags ask for.
func connect(c *cli.Context) (*client.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	config, err := tlsConfig(c.String("api-ca"), c.String("api-cert"), c.String("api-key"))
	if err != nil {
		return nil, err
	}
	transport.TLSClientConfig = config
	return client.New(client.Config{Endpoints: []string{c.String("api")}, HTTP: &http.Client{Transport: transport}})
}

// tlsConfig reads the files of a connection over TLS; empty names are left out.
func tlsConfig(ca, cert, key string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("read --api-ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--api-ca: %s holds no certificate", ca)
		}
	}
	if (cert == "") != (key == "") {
		return nil, fmt.Errorf("--api-cert and --api-key go together: give both or neither")
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("--api-cert %s and --api-key %s: %w", cert, key, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
