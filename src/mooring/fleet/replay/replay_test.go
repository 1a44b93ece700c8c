package replay_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/fleet/replay"
)

const file = `{"cells":[{"id":"c1","az":"z1"},{"id":"c2","az":"z2"},{"id":"c3","az":"z2"}],
 "apps":[{"name":"kv","instances":3,"max_interrupted":1,"kind":"fixed","cells":["c1","c2","c3"]},
         {"name":"web","instances":2,"max_interrupted":1,"kind":"floating","cells":["c1","c2"]}],
 "rolls":{"c1":60,"c2":60,"c3":60},"failures":[{"cell":"c3","at_s":300,"for_s":30}]%s}`

func check(t *testing.T, more, lines string) *replay.Report {
	report, err := replay.Check(strings.NewReader(strings.Replace(file, "%s", more, 1)), strings.NewReader(lines))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return report
}

func TestReplayAcceptsWhatKeepsEveryLimit(t *testing.T) {
	g := NewWithT(t)
	report := check(t, `,"max_in_flight":1,"canaries":2,"az_serial":true`, `{"cell":"c1","start_s":0,"end_s":60}
{"cell":"c2","start_s":60,"end_s":120}
{"cell":"c3","start_s":120,"end_s":180}
{"summary":true}`)
	g.Expect(report.Breaches).To(BeEmpty())
	g.Expect(report.Makespan).To(Equal(180.0))
	g.Expect(report.Bound).To(Equal(180.0))
}

func TestReplayNamesEveryBreach(t *testing.T) {
	for _, breach := range []struct{ what, more, lines, want string }{
		{"limit", "", `{"cell":"c1","start_s":0,"end_s":60}{"cell":"c2","start_s":59,"end_s":119}{"cell":"c3","start_s":120,"end_s":180}`, "at 59 s kv has 2 instances away, of at most 1"},
		{"failure", "", `{"cell":"c1","start_s":310,"end_s":370}{"cell":"c2","start_s":0,"end_s":60}{"cell":"c3","start_s":60,"end_s":120}`, "at 310 s kv has 2"},
		{"duration", "", `{"cell":"c1","start_s":0,"end_s":50}{"cell":"c2","start_s":60,"end_s":120}{"cell":"c3","start_s":120,"end_s":180}`, "c1 takes 50 s, not 60 s"},
		{"left out", "", `{"cell":"c1","start_s":0,"end_s":60}{"cell":"c2","start_s":60,"end_s":120}`, "c3 is not rolled"},
		{"twice", "", `{"cell":"c1","start_s":0,"end_s":60}{"cell":"c1","start_s":60,"end_s":120}`, "c1 is rolled twice"},
		{"ceiling", `,"max_in_flight":1`, `{"cell":"c1","start_s":0,"end_s":60}{"cell":"c2","start_s":0,"end_s":60}{"cell":"c3","start_s":120,"end_s":180}`, "2 cells are in roll, of at most 1"},
		{"canary", `,"canaries":1`, `{"cell":"c1","start_s":0,"end_s":60}{"cell":"c2","start_s":0,"end_s":60}{"cell":"c3","start_s":120,"end_s":180}`, "c2 starts beside a canary"},
		{"serial", `,"az_serial":true`, `{"cell":"c2","start_s":0,"end_s":60}{"cell":"c1","start_s":60,"end_s":120}{"cell":"c3","start_s":120,"end_s":180}`, "AZ z1 starts at 60 s, before AZ z2 has ended at 180 s"},
	} {
		t.Run(breach.what, func(t *testing.T) {
			NewWithT(t).Expect(check(t, breach.more, breach.lines).Breaches).To(ContainElement(ContainSubstring(breach.want)))
		})
	}
}

func TestAMoveSpendsItsBudgetForItsTimeOnly(t *testing.T) {
	g := NewWithT(t)
	f := strings.Replace(file, `"kind":"fixed"`, `"kind":"floating","move_s":5`, 1)
	report, err := replay.Check(strings.NewReader(strings.Replace(f, "%s", "", 1)),
		strings.NewReader(`{"cell":"c1","start_s":0,"end_s":60}{"cell":"c2","start_s":30,"end_s":90}{"cell":"c3","start_s":5,"end_s":65}`))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.Breaches).To(BeEmpty())
}

func TestACellThatCanNeverRollIsNotMissed(t *testing.T) {
	// Two of the app's instances, of which one may be away, are on c1.
	f := `{"cells":[{"id":"c1","az":"z1"},{"id":"c2","az":"z1"}],
 "apps":[{"name":"kv","instances":3,"max_interrupted":%s,"kind":"%s","cells":["c1","c1","c2"]}],"rolls":{"c1":600,"c2":60}}`
	check := func(limit, kind, lines string) *replay.Report {
		report, err := replay.Check(strings.NewReader(strings.NewReplacer("%s,", limit+",", "%s\"", kind+"\"").Replace(f)), strings.NewReader(lines))
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		return report
	}
	g := NewWithT(t)
	report := check("1", "fixed", `{"cell":"c2","start_s":0,"end_s":60}`)
	g.Expect(report.Breaches).To(BeEmpty())
	g.Expect(report.Bound).To(Equal(60.0))
	g.Expect(check("1", "fixed", `{"cell":"c1","start_s":0,"end_s":600}{"cell":"c2","start_s":600,"end_s":660}`).Breaches).
		To(ContainElement("c1 is rolled, but an app on it forbids it for ever"))
	g.Expect(check("2", "fixed", `{"cell":"c2","start_s":0,"end_s":60}`).Breaches).To(Equal([]string{"c1 is not rolled"}))

	// An app without volumes spends its budget too, for a move.
	g.Expect(check("0", "none", ``).Breaches).To(BeEmpty())
	g.Expect(check("0", "none", `{"cell":"c2","start_s":0,"end_s":60}`).Breaches).To(Equal([]string{
		"c2 is rolled, but an app on it forbids it for ever", "at 0 s kv has 1 instances away, of at most 0",
	}))
}

func TestInstancesThatMoveTakeTurnsAndThoseThatStayDoNot(t *testing.T) {
	const crowded = `{"cells":[{"id":"c1","az":"z1"},{"id":"c2","az":"z1"},{"id":"c3","az":"z1"},{"id":"c4","az":"z1"}],"move_s":10,
 "apps":[{"name":"web","instances":4,"max_interrupted":1,"kind":"floating","cells":["c1","c1","c1","c2"]}],
 "rolls":{"c1":60,"c2":60}}`
	for _, c := range []struct{ what, file, lines, want string }{
		{"turns", crowded, `{"cell":"c1","start_s":0,"end_s":60}{"cell":"c2","start_s":30,"end_s":90}`, ""},
		{"too early", crowded, `{"cell":"c1","start_s":0,"end_s":60}{"cell":"c2","start_s":29,"end_s":89}`, "at 29 s web has 2 instances away, of at most 1"},
		{"no longer than the roll", strings.Replace(crowded, `"c1":60`, `"c1":20`, 1), `{"cell":"c1","start_s":0,"end_s":20}{"cell":"c2","start_s":20,"end_s":80}`, ""},
		{"left out", crowded, `{"cell":"c2","start_s":30,"end_s":90}`, "c1 is not rolled"},
		{"limit of 0", strings.Replace(crowded, `"max_interrupted":1`, `"max_interrupted":0`, 1), ``, ""},
		{"fixed", strings.Replace(crowded, `floating`, `fixed`, 1), `{"cell":"c2","start_s":0,"end_s":60}`, ""},
		{"fixed all the same", strings.Replace(crowded, `floating`, `fixed`, 1), `{"cell":"c1","start_s":0,"end_s":60}{"cell":"c2","start_s":60,"end_s":120}`, "c1 is rolled, but an app on it forbids it"},
	} {
		t.Run(c.what, func(t *testing.T) {
			g := NewWithT(t)
			report, err := replay.Check(strings.NewReader(c.file), strings.NewReader(c.lines))
			g.Expect(err).NotTo(HaveOccurred())
			if c.want == "" {
				g.Expect(report.Breaches).To(BeEmpty())
			} else {
				g.Expect(report.Breaches).To(ContainElement(ContainSubstring(c.want)))
			}
			g.Expect(report.Bound).To(BeNumerically("<=", 60))
		})
	}
}

func TestSumsOfSecondsThatAreOneMomentAreOne(t *testing.T) {
	// 0.1 + 0.2 is a little more than 0.3: c3 serves again as c1 starts.
	f := strings.Replace(strings.Replace(file, "%s", "", 1), `"at_s":300,"for_s":30`, `"at_s":0.1,"for_s":0.2`, 1)
	report, err := replay.Check(strings.NewReader(f),
		strings.NewReader(`{"cell":"c1","start_s":0.3,"end_s":60.3}{"cell":"c2","start_s":60.3,"end_s":120.3}{"cell":"c3","start_s":120.3,"end_s":180.3}`))
	g := NewWithT(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(report.Breaches).To(BeEmpty())
}
