package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/dev/devtest"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// blocks gives the shell commands of a page of the documentation.
func blocks(t *testing.T, page string) []string {
	data, err := os.ReadFile("../../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, match := range shellBlock.FindAllStringSubmatch(string(data), -1) {
		found = append(found, match[1])
	}
	return found
}

// What the documentation tells people to type works, in its order, on a fleet
// that was just started.
func TestTheDocumentationWorks(t *testing.T) {
	g := NewWithT(t)
	f := devtest.Start(t)
	var said strings.Builder
	for _, page := range []string{"write-a-data-service.md", "roll-a-fleet.md", "events.md"} {
		commands := blocks(t, page)
		g.Expect(commands).NotTo(BeEmpty(), page)
		for _, block := range commands {
			said.WriteString(f.Must(block))
		}
		f.Eventually("moor app notes", "4 of 4 serving")
	}
	g.Expect(said.String()).To(ContainSubstring("stemcell-1"))
	g.Expect(f.Must("moor rolls")).To(MatchRegexp(`stemcell-1 .*done`))
	g.Expect(f.Must("moor stuck")).To(ContainSubstring("nothing is stuck"))
	g.Expect(f.Must("cat $(find .. -name diary)")).To(ContainSubstring("interrupted for roll (recreate)"))
}
