package model_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestPolicyDefaults(t *testing.T) {
	g := NewWithT(t)
	given := model.Policy{
		Interrupt: &model.Handler{Command: "a"},
		Drain:     &model.Handler{Command: "b", Timeout: model.Duration(time.Minute)},
	}
	p := given.WithDefaults()
	g.Expect(p.HealthyFor.D()).To(Equal(10 * time.Second))
	g.Expect(p.ReturnWithin.D()).To(Equal(10 * time.Minute))
	g.Expect(p.Floating).To(Equal(model.FloatingMove))
	g.Expect(p.OnStuck.Answer).To(Equal(model.StuckHold))
	g.Expect(p.MaxDisrupted).To(BeNil(), "it follows the other limits")
	g.Expect(*p.Interrupt).To(Equal(model.Handler{Command: "a", Timeout: model.Duration(time.Minute), ProgressTimeout: model.Duration(15 * time.Second)}))
	g.Expect(p.Drain.ProgressTimeout.D()).To(Equal(time.Minute), "not longer than the timeout")
	g.Expect(given.Interrupt.Timeout).To(BeZero(), "the policy given is not changed")
	g.Expect(p.WithDefaults()).To(Equal(p))
}

func TestHealthDefaults(t *testing.T) {
	g := NewWithT(t)
	g.Expect(model.HealthCheck{}.WithDefaults()).To(Equal(model.HealthCheck{
		Type: model.HealthPort, Interval: model.Duration(2 * time.Second),
		Timeout: model.Duration(2 * time.Second), StartTimeout: model.Duration(time.Minute),
	}))
	g.Expect(model.HealthCheck{Type: model.HealthHTTP}.WithDefaults().Path).To(Equal("/"))
	kept := model.HealthCheck{Type: model.HealthCommand, Command: "x", Interval: 1, Timeout: 2, StartTimeout: 3}
	g.Expect(kept.WithDefaults()).To(Equal(kept))
	g.Expect(model.RunSpec{}.WithDefaults().Memory.String()).To(Equal("256M"))
}
