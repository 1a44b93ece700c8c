package cli_test

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"
	ucli "github.com/urfave/cli/v2"
)

func TestCommandLinesThatMakeNoSense(t *testing.T) {
	api := newAPI(t)
	for name, row := range map[string]struct {
		args []string
		says string
	}{
		"no such command":         {[]string{"explode"}, `there is no command "explode"`},
		"no such flag":            {[]string{"apps", "--loud"}, "flag provided but not defined: -loud; see moor apps --help"},
		"an argument missing":     {[]string{"app"}, "APP is missing; see moor app --help"},
		"an argument too many":    {[]string{"app", "a", "b"}, `"b" is one argument too many`},
		"a name that is none":     {[]string{"app", "A_B"}, `name "A_B" is not a name`},
		"a number that is none":   {[]string{"scale", "db", "some"}, `INSTANCES is "some"`},
		"an address that is none": {[]string{"--api", "nowhere", "apps"}, `API address "nowhere"`},
		"half a certificate":      {[]string{"--api-cert", "x", "apps"}, "--api-cert and --api-key go together"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r := api.run(t, row.args...)
			g.Expect(r.status).To(Equal(2))
			g.Expect(r.err).To(HavePrefix("moor: "))
			g.Expect(r.err).To(ContainSubstring(row.says))
		})
	}
	NewWithT(t).Expect(api.requests()).To(BeEmpty())
}

func TestACommandOfTheProgramSaysItsOwnStatus(t *testing.T) {
	g := NewWithT(t)
	extra := &ucli.Command{Name: "zoo", Action: func(*ucli.Context) error { return ucli.Exit("usage: moor zoo ANIMAL", 2) }}
	r := execute(context.Background(), "", []string{"zoo"}, extra)
	g.Expect(r.status).To(Equal(2))
	g.Expect(r.err).To(Equal("moor: usage: moor zoo ANIMAL\n"))
}

func TestFlagsMayStandAnywhere(t *testing.T) {
	var got []string
	extra := &ucli.Command{Name: "zoo", Subcommands: []*ucli.Command{{
		Name:  "feed",
		Flags: []ucli.Flag{&ucli.StringFlag{Name: "food", Aliases: []string{"f"}}, &ucli.BoolFlag{Name: "twice"}},
		Action: func(c *ucli.Context) error {
			got = append([]string{c.String("food"), c.String("org")}, c.Args().Slice()...)
			if c.Bool("twice") {
				got = append(got, "twice")
			}
			return nil
		},
	}}}
	for _, row := range []struct{ args, want []string }{
		{[]string{"zoo", "feed", "lion", "--food", "hay", "--twice", "owl"}, []string{"hay", "default", "lion", "owl", "twice"}},
		{[]string{"zoo", "feed", "lion", "-f=hay"}, []string{"hay", "default", "lion"}},
		{[]string{"zoo", "feed", "lion", "--org", "acme", "-f", "hay"}, []string{"hay", "acme", "lion"}},
		{[]string{"zoo", "feed", "--", "--food", "-x"}, []string{"", "default", "--food", "-x"}},
		{[]string{"--org", "zoo", "zoo", "feed", "feed"}, []string{"", "zoo", "feed"}},
	} {
		r := execute(context.Background(), "", row.args, extra)
		g := NewWithT(t)
		g.Expect(r.status).To(Equal(0), r.err)
		g.Expect(got).To(Equal(row.want))
	}
}

func TestAnExtraCommandTakesThePlaceOfAnotherOfItsName(t *testing.T) {
	ran := false
	extra := &ucli.Command{Name: "cells", Action: func(*ucli.Context) error { ran = true; return nil }}
	NewWithT(t).Expect(execute(context.Background(), "", []string{"cells"}, extra).status).To(Equal(0))
	NewWithT(t).Expect(ran).To(BeTrue())
}

func TestHelpShowsExamples(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	for _, args := range [][]string{{"help", "resolve"}, {"resolve", "--help"}} {
		r := api.run(t, args...)
		g.Expect(r.status).To(Equal(0))
		g.Expect(r.out).To(ContainSubstring("moor resolve stemcell-1.915.cell-3.handler-hung retry --reason"))
	}
	r := api.run(t)
	g.Expect(r.status).To(Equal(0))
	g.Expect(r.out).To(And(ContainSubstring("Maintenance:"), ContainSubstring("plan-status, roll-status")))
}

func TestEarlierNamesOfCommandsGoOn(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	for earlier, name := range map[string]string{"rolls": "plans", "roll-status": "plan-status"} {
		help := api.run(t, earlier, "--help")
		g.Expect(help.status).To(Equal(0))
		g.Expect(help).To(Equal(api.run(t, name, "--help")))
		g.Expect(api.run(t, earlier, "a", "b").err).To(ContainSubstring("one argument too many; see moor " + name + " --help"))
	}
}

func TestNobodyAnswersAtTheAddress(t *testing.T) {
	g := NewWithT(t)
	r := execute(context.Background(), "", []string{"--api", "http://127.0.0.1:1", "apps"})
	g.Expect(r.status).To(Equal(1))
	g.Expect(r.err).To(ContainSubstring("calling the API at http://127.0.0.1:1"))
}
