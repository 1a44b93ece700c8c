package api

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

func TestLooksKeepTheirDistance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		p := pace{least: 100 * time.Millisecond}
		began := time.Now()
		look := func() time.Duration {
			g.Expect(p.wait(t.Context())).To(Succeed())
			return time.Since(began)
		}
		g.Expect(look()).To(BeZero())
		time.Sleep(time.Second)
		g.Expect(look()).To(Equal(time.Second), "at once, after a quiet time")
		g.Expect(look()).To(Equal(1100 * time.Millisecond))
		time.Sleep(30 * time.Millisecond)
		g.Expect(look()).To(Equal(1200*time.Millisecond), "from look to look")

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		g.Expect(p.wait(ctx)).To(MatchError(context.DeadlineExceeded))
		g.Expect(time.Since(began)).To(Equal(1210 * time.Millisecond))
	})
}
