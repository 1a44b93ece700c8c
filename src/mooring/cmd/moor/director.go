package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"mooring/director"
	"mooring/host"
	"mooring/model"
)

// directorFlags say which BOSH Director acts on the hosts of plans that ask
// for it, and how to log in there.
func directorFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "director", EnvVars: []string{"MOORING_DIRECTOR"}, Usage: "`URL` of the BOSH Director, such as https://10.0.0.6:25555 (default: no plan goes through BOSH)"},
		&cli.StringFlag{Name: "director-ca", EnvVars: []string{"MOORING_DIRECTOR_CA"}, Usage: "`FILE` with the certificates that the Director and its UAA are trusted by"},
		&cli.StringFlag{Name: "director-client", EnvVars: []string{"MOORING_DIRECTOR_CLIENT"}, Usage: "`NAME` of the UAA client, or of the Director's user, to log in as"},
		&cli.StringFlag{Name: "director-secret-file", EnvVars: []string{"MOORING_DIRECTOR_SECRET_FILE"}, Usage: "`FILE` with the secret of --director-client and nothing else"},
	}
}

// hands gives what acts on hosts through BOSH, nil when no Director was given.
func hands(c *cli.Context) (host.Director, error) {
	cfg := director.Config{URL: c.String("director"), Client: c.String("director-client")}
	if cfg.URL == "" {
		return nil, nil
	}
	for _, file := range []struct {
		flag string
		into func([]byte)
	}{
		{"director-ca", func(content []byte) { cfg.CA = content }},
		{"director-secret-file", func(content []byte) { cfg.Secret = strings.TrimSpace(string(content)) }},
	} {
		if name := c.String(file.flag); name != "" {
			content, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("read --%s: %w", file.flag, err)
			}
			file.into(content)
		}
	}
	client, err := director.New(cfg)
	if err != nil {
		return nil, err
	}
	return &director.Hands{Client: client}, nil
}

// checkPlan refuses plans that BOSH could not carry out.
func checkPlan(bosh host.Director) func(context.Context, model.PlanSpec) error {
	return func(ctx context.Context, spec model.PlanSpec) error {
		switch {
		case spec.Via.Bosh == nil:
			return nil
		case bosh == nil:
			return errors.New("asks for BOSH, and " + host.ErrNoDirector.Error())
		}
		return bosh.Check(ctx, spec.Via.Bosh.Deployment, spec.Via.Bosh.InstanceGroup, !spec.WholeGroup())
	}
}
