package cell

import (
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestFit_AReportThatIsFullSaysWhatItLeavesOut(t *testing.T) {
	g := NewWithT(t)
	tail := slices.Repeat([]string{strings.Repeat("<", 1000)}, 20) // which JSON writes as six bytes each
	var report model.Report
	for i := range 300 {
		report.Instances = append(report.Instances, model.ActualInstance{AppGUID: "app", Index: i, State: model.Crashed, Output: tail, Error: "it is down",
			Disruption: &model.ActualDisruption{PermitID: "p", Output: tail}})
	}
	sent := fit(report, maxReport)
	g.Expect(sizeOf(sent)).To(BeNumerically("<=", maxReport))
	g.Expect(sent.Instances).To(HaveLen(300), "each is told of")
	g.Expect(sent.Instances[0].Output).To(Equal(tail), "as much as there is room for")
	g.Expect(sent.Instances[299]).To(And(HaveField("Output", []string{notCarried}), HaveField("Error", "it is down"), HaveField("State", model.Crashed)))
	g.Expect(sent.Instances[299].Disruption.Output).To(Equal([]string{notCarried}))
	g.Expect(report.Instances[299].Output).To(Equal(tail), "what the agent knows stays")
	g.Expect(report.Instances[299].Disruption.Output).To(Equal(tail))

	for i := range report.Instances {
		report.Instances[i].Error = strings.Repeat("<", model.MaxLine)
	}
	report.Volumes = slices.Repeat([]model.ActualVolume{{GUID: "v", Error: strings.Repeat("x", model.MaxLine)}}, 1000)
	sent = fit(report, maxReport)
	g.Expect(sizeOf(sent)).To(BeNumerically("<=", maxReport))
	g.Expect(sent.Instances[0].Error).To(HaveSuffix("bytes left out)"))
	g.Expect(sent.Volumes[0].Error).To(HaveSuffix("bytes left out)"))
	g.Expect(report.Volumes[0].Error).To(HaveLen(model.MaxLine))

	small := model.Report{Instances: report.Instances[:1]}
	g.Expect(fit(small, maxReport)).To(Equal(small))
}
