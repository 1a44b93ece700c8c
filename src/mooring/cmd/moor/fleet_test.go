package main

import (
	"bytes"
	"os"
	"regexp"
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

// The example of docs/fleets.md comes out as it says, but for what is measured.
func TestTheExampleOfTheDocumentation(t *testing.T) {
	g := NewWithT(t)
	page, err := os.ReadFile("../../../../docs/fleets.md")
	g.Expect(err).NotTo(HaveOccurred())
	block := func(language string) string {
		_, rest, found := strings.Cut(string(page), "```"+language+"\n")
		text, _, _ := strings.Cut(rest, "```")
		g.Expect(found).To(BeTrue(), language)
		return text
	}
	placed, errs, err := run(placeCommand(), block("json"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(errs).To(BeEmpty())
	rolled, errs, err := run(simulateCommand(), placed)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(errs).To(BeEmpty())
	measured := regexp.MustCompile(`("(plan_ms|improve_ms|event_us_p50|event_us_p99)":)[0-9.e-]+`)
	bare := func(text string) string { return measured.ReplaceAllString(text, "$1…") }
	g.Expect(bare(rolled)).To(Equal(bare(block("text"))))
}

func TestImprovementHasBounds(t *testing.T) {
	for _, time := range []string{"-1s", "31s"} {
		_, _, err := run(simulateCommand(), unplaced, "--improve", time)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("is not between 0s and 30s")))
	}
}
