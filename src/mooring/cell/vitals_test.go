package cell

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestVitals(t *testing.T) {
	check := model.HealthCheck{Interval: model.Duration(5 * time.Second), StartTimeout: model.Duration(time.Minute)}
	at := func(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }
	ill := errors.New("ill")

	t.Run("serves after it was healthy for long enough", func(t *testing.T) {
		g := NewWithT(t)
		v := newVitals(check, 10*time.Second, noon)
		g.Expect(v.state).To(Equal(model.Starting))
		v.probed(ill, at(1))
		g.Expect(v.state).To(Equal(model.Starting))
		v.probed(nil, at(2))
		g.Expect(v.state).To(Equal(model.Soaking))
		g.Expect(v.due()).To(Equal(at(12)))
		v.look(at(11.9))
		g.Expect(v.state).To(Equal(model.Soaking))
		v.look(at(12))
		g.Expect(v.state).To(Equal(model.Serving))
		g.Expect(v.due()).To(BeZero())
	})
	t.Run("serves at once when nothing more is asked", func(t *testing.T) {
		v := newVitals(check, 0, noon)
		v.probed(nil, noon)
		NewWithT(t).Expect(v.state).To(Equal(model.Serving))
	})
	t.Run("a first doubt is looked into, a second check in a row decides", func(t *testing.T) {
		g := NewWithT(t)
		v := newVitals(check, 0, noon)
		v.probed(nil, noon)
		v.probed(ill, at(5))
		g.Expect(v.state).To(Equal(model.Serving))
		g.Expect(v.pause).To(Equal(doubtProbe))
		v.probed(nil, at(6))
		g.Expect(v.pause).To(Equal(5 * time.Second))
		v.probed(ill, at(11))
		v.probed(ill, at(12))
		g.Expect(v.state).To(Equal(model.Failing))
		g.Expect(v.problem).To(MatchError("ill"))
	})
	t.Run("one that failed soaks again", func(t *testing.T) {
		g := NewWithT(t)
		v := newVitals(check, 10*time.Second, noon)
		v.probed(nil, noon)
		v.look(at(10))
		v.probed(ill, at(15))
		v.probed(ill, at(16))
		v.probed(nil, at(17))
		g.Expect(v.state).To(Equal(model.Soaking))
		v.look(at(26))
		g.Expect(v.state).To(Equal(model.Soaking))
		v.look(at(27))
		g.Expect(v.state).To(Equal(model.Serving))
	})
	t.Run("a doubt while soaking is not slept over", func(t *testing.T) {
		g := NewWithT(t)
		v := newVitals(check, 10*time.Second, noon)
		v.probed(nil, noon)
		v.probed(ill, at(9.9))
		v.look(at(10))
		g.Expect(v.state).To(Equal(model.Soaking))
		v.probed(nil, at(10.2))
		g.Expect(v.state).To(Equal(model.Serving))
	})
	t.Run("checks of a new process grow apart", func(t *testing.T) {
		g := NewWithT(t)
		v := newVitals(check, 0, noon)
		var pauses []time.Duration
		for range 9 {
			pauses = append(pauses, v.pause)
			v.probed(ill, noon)
		}
		g.Expect(pauses[0]).To(Equal(50 * time.Millisecond))
		g.Expect(pauses[1]).To(Equal(100 * time.Millisecond))
		g.Expect(pauses[8]).To(Equal(5 * time.Second))
	})
	t.Run("one that takes too long has overslept", func(t *testing.T) {
		g := NewWithT(t)
		v := newVitals(check, 0, noon)
		g.Expect(v.due()).To(Equal(at(60)))
		g.Expect(v.overslept(at(59))).To(BeFalse())
		g.Expect(v.overslept(at(60))).To(BeTrue())
		v.probed(nil, at(60))
		g.Expect(v.overslept(at(61))).To(BeFalse())
	})
}

func TestRestartsAreFirstAtOnceThenFurtherAndFurtherApart(t *testing.T) {
	g := NewWithT(t)
	var pauses []time.Duration
	for n := range 10 {
		pauses = append(pauses, restartPause(n+1))
	}
	s := time.Second
	g.Expect(pauses).To(Equal([]time.Duration{0, s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s, 60 * s}))
	g.Expect(retryPause(1)).To(Equal(250 * time.Millisecond))
	g.Expect(retryPause(99)).To(Equal(10 * time.Second))
}
