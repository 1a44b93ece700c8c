package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"

	"github.com/urfave/cli/v2"

	"mooring/access"
	"mooring/identity"
	"mooring/model"
)

// accessFlags say who may call the API.
func accessFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "access", Usage: "`FILE` that says who may do what (default: on the loopback alone, whoever is on this machine may do everything)"},
		openFlag,
	}
}

var openFlag = &cli.BoolFlag{Name: "insecure-open", Usage: "let everybody who reaches the API do everything, from anywhere"}

// callers finds out who calls. Without a file that says who may do what, an
// API that others reach is refused: nobody is let in by mistake.
func callers(c *cli.Context, server *tls.Config) (*identity.Authenticator, error) {
	file, listen, log := c.String("access"), c.String(listenFlag.Name), logger("api")
	own, err := ownMachine(listen)
	if err != nil {
		return nil, err
	}
	switch {
	case file != "" && c.Bool(openFlag.Name):
		return nil, fmt.Errorf("--access and --insecure-open exclude each other: either %s says who may do what or nobody does", file)
	case file != "":
		if server == nil && !own {
			log.Warn("tokens can be read on their way: give --tls-cert and --tls-key, or let a proxy on this machine do so", "listen", listen)
		}
		if server != nil && server.ClientAuth == tls.RequireAndVerifyClientCert {
			server.ClientAuth = tls.VerifyClientCertIfGiven // others have tokens
		}
		return identity.Load(file)
	case c.Bool(openFlag.Name):
		log.Warn("everybody who reaches the API may do everything (--insecure-open)", "listen", listen)
		return identity.Open(), nil
	case own:
		log.Info("local mode: whoever is on this machine may do everything, under the name they give; --access changes that", "listen", listen)
		return identity.Local(), nil
	}
	return nil, fmt.Errorf("the API would let everybody in who reaches %s: say who may do what with --access FILE, listen on 127.0.0.1, or mean it with --insecure-open", listen)
}

// ownMachine reports whether an address to listen on is reached from this
// machine alone.
func ownMachine(listen string) (bool, error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false, fmt.Errorf("--%s %q is not an address such as 127.0.0.1:7770: %w", listenFlag.Name, listen, err)
	}
	return access.Loopback(host), nil
}

// maySteer reports whether a viewer of the board may steer plans and answer
// for every app.
func maySteer(r *http.Request) bool {
	actor, err := access.From(r.Context())
	return err == nil && access.May(actor, access.Plan, access.Thing("plans")) == nil
}

// mayRead reports whether the caller may read what the instances of an app
// write.
func mayRead(r *http.Request, app model.Name) bool {
	actor, err := access.From(r.Context())
	return err == nil && access.May(actor, access.ReadLogs, access.App(app)) == nil
}

// theFleet is what the board shows.
func theFleet(*http.Request) access.Object { return access.Thing("the fleet") }
