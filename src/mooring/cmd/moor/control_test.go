package main

import (
	"testing"

	. "github.com/onsi/gomega"
	"github.com/urfave/cli/v2"

	"mooring/placement"
	"mooring/scheduler"
)

// schedulerOf reads the flags of a role as that role does.
func schedulerOf(command *cli.Command, args ...string) (cfg scheduler.Config, err error) {
	command.Action = func(c *cli.Context) error { cfg = placesBy(c); return nil }
	app := &cli.App{Commands: []*cli.Command{command}}
	err = app.Run(append([]string{"moor", command.Name}, args...))
	return cfg, err
}

func TestHowManyUpdateDomainsIsTheOperatorsChoice(t *testing.T) {
	g := NewWithT(t)
	for _, role := range []func() *cli.Command{controlPlaneCommand, schedulerCommand} {
		chosen, err := schedulerOf(role(), "--update-domains", "7")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(chosen.Domains).To(Equal(7))
		measured, err := schedulerOf(role())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(measured.Domains).To(Equal(placement.DefaultDomains))
		_, err = schedulerOf(role(), "--update-domains", "0")
		g.Expect(err).To(MatchError("--update-domains is 0; give a whole number from 1"))
	}
}
