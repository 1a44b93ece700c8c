package main

import (
	"testing"

	. "github.com/onsi/gomega"
	"github.com/urfave/cli/v2"
)

func TestStateDirStandsBeforeOrAfterASubcommand(t *testing.T) {
	for _, args := range [][]string{{"--state-dir", "/x", "sub"}, {"sub", "--state-dir", "/x"}, {"--state-dir", "/y", "sub", "--state-dir", "/x"}} {
		g := NewWithT(t)
		dir := ""
		app := &cli.App{Flags: []cli.Flag{stateDirFlag}, Commands: []*cli.Command{{
			Name: "sub", Flags: []cli.Flag{stateDirFlag},
			Action: func(c *cli.Context) error { dir = stateDirOf(c); return nil },
		}}}
		g.Expect(app.Run(append([]string{"moor"}, args...))).To(Succeed())
		g.Expect(dir).To(Equal("/x"), "%v", args)
	}
}
