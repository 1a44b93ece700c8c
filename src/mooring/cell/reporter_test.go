package cell

import (
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

func TestReportsAreDueAtOnceOrALittleLaterOrAsAHeartbeat(t *testing.T) {
	for name, c := range map[string]struct {
		wish func(r *reporter)
		want time.Duration
	}{
		"nothing new":      {func(*reporter) {}, 3 * time.Second},
		"a change":         {func(r *reporter) { r.now() }, 0},
		"mere progress":    {func(r *reporter) { r.soon() }, quietDelay},
		"endless progress": {func(r *reporter) { go steadily(r) }, quietDelay + 10*time.Millisecond},
		"progress and then a change": {func(r *reporter) {
			r.soon()
			time.AfterFunc(100*time.Millisecond, r.now)
		}, 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				r := newReporter()
				began := time.Now()
				c.wish(r)
				g.Expect(r.wait(t.Context(), 3*time.Second)).To(Succeed())
				g.Expect(time.Since(began)).To(Equal(c.want))
				time.Sleep(time.Minute) // lets the wishes run out
			})
		})
	}
}

// steadily wishes for a report again and again, for a while.
func steadily(r *reporter) {
	for range 1000 {
		time.Sleep(10 * time.Millisecond)
		r.soon()
	}
}
