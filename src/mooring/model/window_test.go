package model_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestWindowOpensAndCloses(t *testing.T) {
	at := func(text string) time.Time {
		moment, err := time.Parse("2006-01-02 15:04 -0700", text)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		return moment
	}
	for _, c := range []struct {
		window, now string
		open        bool
		next        string
	}{
		{window: "", now: "2026-11-21 12:00 +0000", open: true},
		{window: "02:00-06:00 UTC", now: "2026-11-21 02:00 +0000", open: true},
		{window: "02:00-06:00 UTC", now: "2026-11-21 05:59 +0000", open: true},
		{window: "02:00-06:00 UTC", now: "2026-11-21 06:00 +0000", next: "2026-11-22 02:00 +0000"},
		{window: "02:00-06:00 UTC", now: "2026-11-21 01:59 +0000", next: "2026-11-21 02:00 +0000"},
		{window: "Sat 02:00-06:00 Europe/London", now: "2026-11-21 03:00 +0000", open: true},
		{window: "Sat 02:00-06:00 Europe/London", now: "2026-11-21 07:00 +0000", next: "2026-11-28 02:00 +0000"},
		{window: "Sat 02:00-06:00 Europe/London", now: "2026-07-04 01:30 +0000", open: true}, // summer time
		{window: "Tue,Fri 22:00-04:00 UTC", now: "2026-11-21 03:00 +0000", open: true},       // since Friday
		{window: "Tue,Fri 22:00-04:00 UTC", now: "2026-11-21 04:00 +0000", next: "2026-11-24 22:00 +0000"},
	} {
		t.Run(c.window+" at "+c.now, func(t *testing.T) {
			g := NewWithT(t)
			window, err := model.ParseWindow(c.window)
			g.Expect(err).NotTo(HaveOccurred())

			open, next := window.Open(at(c.now))

			g.Expect(open).To(Equal(c.open))
			if c.next != "" {
				g.Expect(next).To(BeTemporally("==", at(c.next)))
			}
		})
	}
}

func TestWindowThatMakesNoSense(t *testing.T) {
	for text, why := range map[string]string{
		"02:00-06:00":               "needs times and a time zone",
		"Caturday 02:00-06:00 UTC":  `"Caturday" is not a day`,
		"25:00-06:00 UTC":           `"25:00" is not a time`,
		"02:00 UTC":                 `"" is not a time`,
		"02:00-06:00 Mars/Olympus":  `"Mars/Olympus" is not a time zone`,
		"02:00-06:00 Local":         `"Local" is not a time zone`,
		"Sat Sun 02:00-06:00 UTC x": "needs times and a time zone",
	} {
		_, err := model.ParseWindow(text)
		NewWithT(t).Expect(err).To(MatchError(And(ContainSubstring(why), ContainSubstring("Sat 02:00-06:00 Europe/London"))), text)
	}
}

func TestWindowClosesAfterWhatFollowsAtOnce(t *testing.T) {
	for window, row := range map[string]struct{ now, closes string }{
		"":                              {"2026-11-21T12:00:00Z", ""},
		"00:00-00:00 UTC":               {"2026-11-21T12:00:00Z", ""},
		"02:00-06:00 UTC":               {"2026-11-21T03:00:00Z", "2026-11-21T06:00:00Z"},
		"Fri 22:00-04:00 UTC":           {"2026-11-21T03:00:00Z", "2026-11-21T04:00:00Z"},
		"Sat,Sun 00:00-00:00 UTC":       {"2026-11-21T12:00:00Z", "2026-11-23T00:00:00Z"},
		"Sat 02:00-06:00 Europe/London": {"2026-07-04T01:30:00Z", "2026-07-04T05:00:00Z"}, // summer time
	} {
		t.Run(window, func(t *testing.T) {
			g := NewWithT(t)
			parsed, err := model.ParseWindow(window)
			g.Expect(err).NotTo(HaveOccurred())
			now, err := time.Parse(time.RFC3339, row.now)
			g.Expect(err).NotTo(HaveOccurred())
			closes := ""
			if at := parsed.Closes(now); !at.IsZero() {
				closes = at.UTC().Format(time.RFC3339)
			}
			g.Expect(closes).To(Equal(row.closes))
		})
	}
}
