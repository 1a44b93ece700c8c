package main

import (
	"bytes"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/urfave/cli/v2"
)

// run gives what a command writes about a fleet on standard input.
func run(command *cli.Command, fleet string, args ...string) (out, errs string, err error) {
	var written, said bytes.Buffer
	app := &cli.App{
		Reader: strings.NewReader(fleet), Writer: &written, ErrWriter: &said, Commands: []*cli.Command{command},
		ExitErrHandler: func(*cli.Context, error) {},
	}
	err = app.Run(append(append([]string{"moor", command.Name}, args...), "-"))
	return written.String(), said.String(), err
}

const unplaced = `{"cells":[{"id":"c1","az":"z1"},{"id":"c2","az":"z1"}],
 "apps":[{"name":"kv","instances":2,"max_interrupted":1,"kind":"fixed"}],"rolls":{"c1":60,"c2":60}}`

func TestWhatIsWarnedOfIsNotInTheOutput(t *testing.T) {
	g := NewWithT(t)
	out, errs, err := run(simulateCommand(), unplaced, "--improve", "0s")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(strings.Count(out, "\n")).To(Equal(3))
	g.Expect(out).To(HavePrefix(`{"cell":"c`))
	g.Expect(errs).To(Equal("warning: 1 of 1 apps have no cells, and are placed first, as moor place does\n"))

	out, errs, err = run(placeCommand(), unplaced)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(out).To(And(HavePrefix(`{"cells":[`), ContainSubstring(`"cells":["c`)))
	g.Expect(errs).To(BeEmpty())
}

func TestImprovementHasBounds(t *testing.T) {
	for _, time := range []string{"-1s", "31s"} {
		_, _, err := run(simulateCommand(), unplaced, "--improve", time)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("is not between 0s and 30s")))
	}
}
