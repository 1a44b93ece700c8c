package fleet_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/fleet"
	"mooring/fleet/generate"
	"mooring/fleet/replay"
)

// simulate reads a fleet and writes its simulated rolls, as moor simulate does.
func simulate(r io.Reader, w io.Writer) error {
	f, err := fleet.Read(r, func(string) {})
	if err != nil {
		return err
	}
	run, err := f.Simulate(fleet.Options{})
	if err != nil {
		return err
	}
	return run.Write(w)
}

// audit simulates a fleet and replays what came of it.
func audit(t *testing.T, f *fleet.Fleet) (*fleet.Summary, *replay.Report) {
	g := NewWithT(t)
	file, err := json.Marshal(f)
	g.Expect(err).NotTo(HaveOccurred())
	var lines bytes.Buffer
	g.Expect(simulate(bytes.NewReader(file), &lines)).To(Succeed())
	text := strings.TrimSpace(lines.String())
	summary := &fleet.Summary{}
	g.Expect(json.Unmarshal([]byte(text[strings.LastIndex(text, "\n")+1:]), summary)).To(Succeed())
	report, err := replay.Check(bytes.NewReader(file), strings.NewReader(text))
	g.Expect(err).NotTo(HaveOccurred())
	return summary, report
}

func TestSimulateWritesEveryRollAndASummary(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	g.Expect(simulate(strings.NewReader(small), &out)).To(Succeed())
	g.Expect(out.String()).To(Equal(`{"cell":"c1","start_s":0,"end_s":300}
{"cell":"c3","start_s":70,"end_s":170}
{"cell":"c2","start_s":300,"end_s":500.5}
{"summary":true,"makespan_s":500.5,"lower_bound_s":500.5,"bottleneck":"kv","strategy":"tickets by domain","plan_ms":0,"improve_ms":0,"event_us_p50":0,"event_us_p99":0,"violations":0}
`))
}

func TestEveryFamilyIsReplayedWithoutABreach(t *testing.T) {
	for _, family := range generate.Families(90, 0.2) {
		for _, own := range []bool{true, false} {
			f := family.Fleet(7)
			// Of every kind, with failures, a ceiling and canaries.
			for a := range f.Apps {
				f.Apps[a].Kind = []fleet.Kind{fleet.Fixed, fleet.Fixed, fleet.Floating, fleet.None}[a%4]
			}
			for i := range 6 {
				f.Failures = append(f.Failures, fleet.Failure{Cell: f.Cells[i*13].ID, At: float64(i * 200), For: 900})
			}
			f.MaxInFlight.Percent, f.Canaries, f.AZSerial = 40, 2, own
			t.Run(family.Name, func(t *testing.T) {
				g := NewWithT(t)
				if own {
					_, err := f.Place()
					g.Expect(err).NotTo(HaveOccurred())
				} else {
					generate.Scatter(f, 7)
				}
				summary, report := audit(t, f)
				g.Expect(report.Breaches).To(BeEmpty())
				g.Expect(report.Rolls).To(Equal(90))
				g.Expect(summary.Violations).To(BeZero())
				g.Expect(summary.Makespan).To(BeNumerically("~", report.Makespan, 1e-6))
				g.Expect(summary.LowerBound).To(BeNumerically("<=", report.Makespan))
				if !f.AZSerial { // the replay's own bound knows no canaries and AZs
					g.Expect(summary.LowerBound).To(BeNumerically(">=", report.Bound-1e-6))
				}
			})
		}
	}
}

func TestACellThatAnAppForbidsIsNamedAndLeftOut(t *testing.T) {
	g := NewWithT(t)
	f, err := fleet.Read(strings.NewReader(strings.Replace(small, `"max_interrupted":1`, `"max_interrupted":0`, 1)), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	summary, report := audit(t, f)
	g.Expect(summary.Never).To(Equal([]string{"c1", "c2"}))
	g.Expect(report.Rolls).To(Equal(1))
	g.Expect(report.Breaches).To(BeEmpty())
}

func TestAnAppWithoutVolumesSpendsItsBudgetForAMove(t *testing.T) {
	g := NewWithT(t)
	text := `{"cells":[{"id":"c1","az":"z1"},{"id":"c2","az":"z1"}],
 "apps":[{"name":"web","instances":2,"max_interrupted":1,"kind":"none","cells":["c1","c2"]}],"rolls":{"c1":100,"c2":100}}`
	f, err := fleet.Read(strings.NewReader(text), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	summary, report := audit(t, f)
	g.Expect(summary.Makespan).To(Equal(130.0), "c2 starts when the instance of c1 has moved")
	g.Expect(report.Breaches).To(BeEmpty())

	f, err = fleet.Read(strings.NewReader(strings.Replace(text, `"max_interrupted":1`, `"max_interrupted":0`, 1)), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	summary, report = audit(t, f)
	g.Expect(summary.Never).To(Equal([]string{"c1", "c2"}))
	g.Expect(report.Rolls).To(BeZero())
	g.Expect(report.Breaches).To(BeEmpty())
}

func TestWhatMovesLeavesAFullCellInSteps(t *testing.T) {
	const crowded = `{"cells":[{"id":"c1","az":"z1"},{"id":"c2","az":"z1"},{"id":"c3","az":"z1"},{"id":"c4","az":"z1"}],"move_s":10,
 "apps":[{"name":"web","instances":4,"max_interrupted":1,"kind":"floating","cells":["c1","c1","c1","c2"]}],
 "rolls":{"c1":60,"c2":55},"estimates":{"c1":60,"c2":55}}`
	g := NewWithT(t)
	f, err := fleet.Read(strings.NewReader(crowded), silent(t))
	g.Expect(err).NotTo(HaveOccurred())
	summary, report := audit(t, f)
	g.Expect(report.Breaches).To(BeEmpty())
	g.Expect(report.Rolls).To(Equal(2))
	g.Expect(summary.Never).To(BeEmpty())
	g.Expect(summary.Makespan).To(Equal(85.0), "c1 moves its three for 30 s, then c2 goes")

	f.Apps[0].Kind = fleet.Fixed
	summary, report = audit(t, f)
	g.Expect(report.Breaches).To(BeEmpty())
	g.Expect(summary.Never).To(Equal([]string{"c1"}), "what stays is down all at once")
}

func TestSimulateAsksForPlacementFirst(t *testing.T) {
	g := NewWithT(t)
	text := strings.Replace(small, `,"cells":["c1","c2"]`, ``, 1)
	g.Expect(simulate(strings.NewReader(text), &bytes.Buffer{})).
		To(MatchError(ContainSubstring("apps[0].cells: they are missing")))
}

func TestSimulateAsksHowLongRollsTake(t *testing.T) {
	g := NewWithT(t)
	g.Expect(simulate(strings.NewReader(`{"cells":[{"id":"c1","az":"z1"}],"apps":[]}`), io.Discard)).
		To(MatchError(ContainSubstring("rolls: they are missing")))
}

func TestWhatIsNotRolledIsSaid(t *testing.T) {
	g := NewWithT(t)
	var said []string
	warn := func(text string) { said = append(said, text) }
	text := strings.Replace(small, `"max_interrupted":1`, `"max_interrupted":0`, 1)
	f, err := fleet.ReadPlaced(strings.NewReader(strings.Replace(text, `,"c3":100}`, `}`, 1)), warn)
	g.Expect(err).NotTo(HaveOccurred())
	run, err := f.Simulate(fleet.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	run.Warn(warn)
	g.Expect(said).To(Equal([]string{
		"1 of 3 cells are not in rolls and will not be rolled (first c3)",
		"2 cells can never roll (first c1: kv has 1 instance on it, and 0 may be away)",
	}))
	g.Expect(run.Summary.Strategy).To(Equal("nothing to roll"))
}

// Time passes by a microsecond whenever it is asked for.
func TestEveryRollThatEndsIsAnEvent(t *testing.T) {
	g := NewWithT(t)
	now := time.Time{}
	clock := func() time.Time { now = now.Add(time.Microsecond); return now }
	simulated := func(text string) *fleet.Summary {
		f, err := fleet.Read(strings.NewReader(text), silent(t))
		g.Expect(err).NotTo(HaveOccurred())
		run, err := f.Simulate(fleet.Options{Clock: clock})
		g.Expect(err).NotTo(HaveOccurred())
		return &run.Summary
	}
	one := simulated(`{"cells":[{"id":"c1","az":"z1"}],"apps":[],"rolls":{"c1":60}}`)
	g.Expect(one.EventP50).To(BeNumerically("~", 1, 1e-6), "the last is one too")
	g.Expect(one.EventP99).To(BeNumerically("~", 1, 1e-6))

	// Four cells end at one moment, the fifth, after a move, at another.
	all := simulated(`{"cells":[{"id":"c1","az":"z1"},{"id":"c2","az":"z1"},{"id":"c3","az":"z1"},{"id":"c4","az":"z1"},{"id":"c5","az":"z1"}],
 "apps":[{"name":"files","instances":1,"max_interrupted":1,"kind":"floating","move_s":70,"cells":["c5"]}],
 "rolls":{"c1":60,"c2":60,"c3":60,"c4":60,"c5":90}}`)
	g.Expect(all.EventP50).To(BeNumerically("~", 0.25, 1e-6))
	g.Expect(all.EventP99).To(BeNumerically("~", 2, 1e-6))
}

func TestSecondsAreWrittenAsTheyWereRead(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	g.Expect(simulate(strings.NewReader(`{"cells":[{"id":"c1","az":"z1"},{"id":"c2","az":"z1"}],
 "apps":[{"name":"kv","instances":2,"max_interrupted":1,"kind":"fixed","cells":["c1","c2"]}],
 "rolls":{"c1":256.013,"c2":200.001},"failures":[{"cell":"c1","at_s":0,"for_s":256.001}]}`), &out)).To(Succeed())
	g.Expect(out.String()).To(HavePrefix("{\"cell\":\"c1\",\"start_s\":256.001,\"end_s\":512.014}\n"))
}

func TestCellsThatExcludeEachOtherAreNamedWithTheApps(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	g.Expect(simulate(strings.NewReader(`{"cells":[{"id":"c1","az":"z"},{"id":"c2","az":"z"},{"id":"c3","az":"z"}],
		"apps":[{"name":"a","instances":2,"max_interrupted":1,"kind":"fixed","cells":["c1","c2"]},
			{"name":"b","instances":2,"max_interrupted":1,"kind":"fixed","cells":["c2","c3"]},
			{"name":"c","instances":2,"max_interrupted":1,"kind":"fixed","cells":["c1","c3"]}],
		"rolls":{"c1":100,"c2":100,"c3":100}}`), &out)).To(Succeed())
	g.Expect(out.String()).To(ContainSubstring(`"bottleneck":"cells that exclude each other: c1, c2, c3, through a, b, c"`))
}
