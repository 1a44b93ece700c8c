package main

import (
	"crypto/tls"
	"fmt"

	"github.com/urfave/cli/v2"
	"go.etcd.io/etcd/client/pkg/v3/transport"
)

// tlsFlags names the three files of one TLS peer. prefix tells apart the
// connections of a process that has several, such as "etcd-".
func tlsFlags(prefix, what string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: prefix + "ca", Usage: "`FILE` with the certificates to trust " + what + " by"},
		&cli.StringFlag{Name: prefix + "cert", Usage: "`FILE` with the own certificate towards " + what},
		&cli.StringFlag{Name: prefix + "key", Usage: "`FILE` with the key of --" + prefix + "cert"},
	}
}

// tlsFiles reads the flags of tlsFlags: nil when none is set. Certificate and
// key go together, and must belong together.
func tlsFiles(c *cli.Context, prefix string) (*transport.TLSInfo, error) {
	info := &transport.TLSInfo{
		TrustedCAFile: c.String(prefix + "ca"),
		CertFile:      c.String(prefix + "cert"),
		KeyFile:       c.String(prefix + "key"),
	}
	switch {
	case info.TrustedCAFile == "" && info.CertFile == "" && info.KeyFile == "":
		return nil, nil
	case (info.CertFile == "") != (info.KeyFile == ""):
		return nil, fmt.Errorf("--%scert and --%[1]skey go together: give both or neither", prefix)
	}
	if info.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(info.CertFile, info.KeyFile); err != nil {
			return nil, fmt.Errorf("the certificate %s and the key %s do not make a pair: %w", info.CertFile, info.KeyFile, err)
		}
	}
	return info, nil
}

// clientTLS gives the configuration for connections that this process opens;
// nil for plain ones.
func clientTLS(c *cli.Context, prefix string) (*tls.Config, error) {
	info, err := tlsFiles(c, prefix)
	if err != nil || info == nil {
		return nil, err
	}
	return info.ClientConfig()
}

// serverTLS gives the configuration for connections that this process takes;
// nil for plain ones. With a CA, clients must show a certificate that it signed.
func serverTLS(c *cli.Context, prefix string) (*tls.Config, error) {
	info, err := tlsFiles(c, prefix)
	if err != nil || info == nil {
		return nil, err
	}
	if info.CertFile == "" {
		return nil, fmt.Errorf("to serve TLS, --%scert and --%[1]skey are needed", prefix)
	}
	info.ClientCertAuth = info.TrustedCAFile != ""
	return info.ServerConfig()
}
