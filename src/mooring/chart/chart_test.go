package chart_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/chart"
)

func plan() *chart.Plan {
	return &chart.Plan{
		Title: "stemcell: recreate of 3 cells", Bound: 2 * time.Minute, Expected: 150 * time.Second, Longest: 3 * time.Minute,
		Facts:    []chart.Fact{{Name: "takes", Value: "2m30s", Note: "2m to 3m"}},
		Warnings: []string{"no recreate was measured yet"},
		AtRisk:   []string{"acme/prod/db/0"},
		Never:    []chart.Never{{Cell: "c9", Why: "max_interrupted: 0"}},
		Rolls: []chart.Roll{
			{Cell: "c3", AZ: "z1", Domain: "10", From: 0, To: 30 * time.Second},
			{Cell: "c2", AZ: "z1", Domain: "2", From: time.Minute, To: 150 * time.Second},
			{Cell: "c1", AZ: "z1", Domain: "2", From: 0, To: 70 * time.Second},
			{Cell: "c0", AZ: "z0", Domain: "1", From: 0, To: 61 * time.Second},
		},
	}
}

func render(t *testing.T, plan *chart.Plan) string {
	t.Helper()
	var out bytes.Buffer
	NewWithT(t).Expect(chart.Write(&out, plan)).To(Succeed())
	return out.String()
}

var embedded = regexp.MustCompile(`(?s)<script type="application/json" id="series">(.*?)</script>`)

func TestRollsLieByAZAndDomainAndTime(t *testing.T) {
	g := NewWithT(t)
	var series struct {
		Groups []struct {
			AZ, Domain string
			Cells      int
		}
		Cells    []string
		From, To []float64
		Lines    []struct {
			Name string
			At   float64
		}
	}
	g.Expect(json.Unmarshal([]byte(embedded.FindStringSubmatch(render(t, plan()))[1]), &series)).To(Succeed())
	g.Expect(series.Cells).To(Equal([]string{"c0", "c1", "c2", "c3"}))
	g.Expect(series.From).To(Equal([]float64{0, 0, 60, 0}))
	g.Expect(series.To).To(Equal([]float64{61, 70, 150, 30}))
	g.Expect(series.Groups).To(HaveLen(3))
	g.Expect(series.Groups[1].Domain).To(Equal("2"), "which comes before 10")
	g.Expect(series.Groups[1].Cells).To(Equal(2))
	g.Expect(series.Lines).To(HaveLen(3))
}

func TestThePageSaysItInWordsToo(t *testing.T) {
	g := NewWithT(t)
	page := render(t, plan())
	for _, text := range []string{"<h1>stemcell: recreate of 3 cells</h1>", "2m30s", "2m to 3m", "no recreate was measured yet", "acme/prod/db/0", "max_interrupted: 0",
		`<tr><th scope="row">z1</th><td>2</td><td>2</td><td>0:00:00</td><td>0:02:30</td></tr>`} {
		g.Expect(page).To(ContainSubstring(text))
	}
	empty := render(t, &chart.Plan{Title: "nothing to do"})
	g.Expect(empty).NotTo(Or(ContainSubstring("Can never roll"), ContainSubstring("Data at risk")))
	g.Expect(embedded.FindStringSubmatch(empty)[1]).NotTo(ContainSubstring("null"), "the page's script counts on lists")
}

func TestThePageNeedsNothingElse(t *testing.T) {
	page := render(t, plan())
	for _, reference := range regexp.MustCompile(`(?:src|href|action)="([^"]*)"|url\(([^)]*)\)|@import|https?://`).FindAllString(page, -1) {
		NewWithT(t).Expect(reference).To(Equal(`href="data:,"`))
	}
}

func TestNamesCannotBecomePartOfThePage(t *testing.T) {
	p := plan()
	const evil = `</script><img src=x onerror=alert(1)>`
	p.Title, p.Rolls[0].Cell, p.Rolls[0].AZ, p.AtRisk[0] = evil, evil, evil, evil
	NewWithT(t).Expect(strings.ToLower(render(t, p))).NotTo(ContainSubstring("<img"))
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWhatCannotBeWrittenIsSaid(t *testing.T) {
	NewWithT(t).Expect(chart.Write(full{}, plan())).To(MatchError(And(ContainSubstring("write the timeline of stemcell"), ContainSubstring("no space left"))))
}
