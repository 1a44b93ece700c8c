package estimate_test

import (
	"fmt"
	"testing"
	"time"

	"mooring/estimate"
	"mooring/model"
)

// BenchmarkRoll is what a cell of seventy apps costs: to learn what its steps
// take, and to put them together.
func BenchmarkRoll(b *testing.B) {
	m := memory{}
	var apps []*model.App
	for i := range 70 {
		apps = append(apps, app(fmt.Sprintf("app-%d", i)))
		m.learn(apps[i].GUID, estimate.Handler(model.Interrupt), noon, repeat(32, time.Minute)...)
		m.learn(apps[i].GUID, estimate.Return, noon, repeat(32, time.Second)...)
	}
	roll := func(known *estimate.Known) *estimate.Roll {
		roll := known.Roll(model.Recreate)
		for _, app := range apps {
			roll.Interrupt(app)
		}
		return roll
	}
	b.Run("learned anew", func(b *testing.B) {
		for b.Loop() {
			roll(m.known(noon, time.Time{}))
		}
	})
	b.Run("range", func(b *testing.B) {
		r := roll(m.known(noon, time.Time{}))
		for b.Loop() {
			r.Range()
		}
	})
}
