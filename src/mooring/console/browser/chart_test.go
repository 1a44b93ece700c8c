package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/chart"
)

// TestAPlanOfTenThousandCellsIsReadFromOneFile opens the page that moor preview
// writes, without any server.
func TestAPlanOfTenThousandCellsIsReadFromOneFile(t *testing.T) {
	g := NewWithT(t)
	chromium(t)
	plan := &chart.Plan{Title: "Plan stemcell: recreate of 10000 cells", Facts: []chart.Fact{{Name: "ends in", Value: "5h30m to 6h10m", Note: "p50 to p90"}}}
	for c := range 10_000 {
		turn := c / 150 // that many at once
		from := time.Duration(turn) * 5 * time.Minute
		plan.Rolls = append(plan.Rolls, chart.Roll{
			Cell: fmt.Sprintf("cell-%05d", c), AZ: fmt.Sprint("z", 1+c%3), Domain: fmt.Sprint("domain ", 1+turn/5), From: from, To: from + 4*time.Minute + time.Duration(c%90)*time.Second,
		})
		plan.Expected = max(plan.Expected, plan.Rolls[c].To)
	}
	path := filepath.Join(t.TempDir(), "plan.html")
	file, err := os.Create(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(chart.Write(file, plan)).To(Succeed())
	g.Expect(file.Close()).To(Succeed())

	p := openPage(t, "file://"+path)
	shows := func(rows string) {
		p.await(fmt.Sprintf(`document.getElementById("range").textContent.includes(%q)`, rows))
	}
	shows("rows 1 to 10000 of 10000")
	g.Expect(eval[int](p, `performance.getEntriesByType("resource").length`)).To(BeZero(), "it needs nothing else")
	g.Expect(colours(p)).To(BeNumerically(">=", 6), "three AZs, in two shades each")
	p.screenshot("plan-10000")
	p.dark(true)
	p.screenshot("plan-10000-dark")
	p.dark(false)

	// By keyboard: the timeline has the focus.
	eval[bool](p, `(document.getElementById("timeline").focus(), true)`)
	before := p.text("#range")
	p.press("+")
	p.await(fmt.Sprintf(`document.getElementById("range").textContent !== %q`, before))
	shows("rows 1 to 10000 of 10000")
	p.press("]")
	p.await(`!document.getElementById("range").textContent.includes("rows 1 to 10000")`)
	p.press("0")
	shows("rows 1 to 10000 of 10000")
	g.Expect(p.text("#range")).To(Equal(before))

	p.fill("#find input", "cell-04321")
	p.press("Enter")
	p.await(`!document.getElementById("tip").hidden`)
	g.Expect(p.text("#tip")).To(Equal("cell-04321\nz2 domain 6\n2:20:00 to 2:24:01"))
	p.screenshot("plan-10000-cell")

	p.fill("#find input", "cell-99999")
	p.press("Enter")
	shows("no cell of this plan is called cell-99999")
}

// colours counts those in which bars are drawn.
func colours(p *page) int {
	return eval[int](p, `(() => {
		const canvas = document.getElementById("timeline");
		const pixels = new Uint32Array(canvas.getContext("2d").getImageData(160, 100, canvas.width - 200, canvas.height - 110).data.buffer);
		const seen = new Map();
		for (const pixel of pixels) {
			const [red, green, blue] = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
			if (Math.max(red, green, blue) - Math.min(red, green, blue) > 60) seen.set(pixel, (seen.get(pixel) || 0) + 1);
		}
		return [...seen.values()].filter((n) => n > 50).length;
	})()`)
}
