package handler_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"mooring/container/handler"
)

// seen collects what Run tells of changes, with the time since it began.
type seen struct {
	began    time.Time
	verdicts []string
}

func (s *seen) changed(status handler.Status) {
	entry := fmt.Sprintf("%s %s #%d", time.Since(s.began), status.Verdict, status.Attempt)
	if n := len(s.verdicts); n == 0 || s.verdicts[n-1] != entry {
		s.verdicts = append(s.verdicts, entry)
	}
}

// play runs a handler in a bubble of its own time.
func play(t *testing.T, limits handler.Limits, attempt handler.Attempt, check func(g Gomega, status handler.Status, seen *seen)) {
	synctest.Test(t, func(t *testing.T) {
		s := &seen{began: time.Now()}
		status := handler.Run(t.Context(), limits, attempt, s.changed)
		check(NewWithT(t), status, s)
	})
}

func progress(p float64) string { return fmt.Sprintf(`{"progress": %v, "message": "at %v"}`, p, p) }

var usual = handler.Limits{Timeout: time.Minute, ProgressTimeout: 10 * time.Second}

func TestHandlerThatEndsWellIsDone(t *testing.T) {
	play(t, usual, func(ctx context.Context, line func(string)) error {
		line("moving")
		line(progress(0.5))
		time.Sleep(time.Second)
		return nil
	}, func(g Gomega, status handler.Status, s *seen) {
		g.Expect(status.Verdict).To(Equal(handler.Done))
		g.Expect(status.Progress).To(Equal(0.5))
		g.Expect(status.Message).To(Equal("at 0.5"))
		g.Expect(status.Output).To(Equal([]string{"moving"}))
		g.Expect(status.FlaggedAt).To(BeZero())
		g.Expect(s.verdicts).To(Equal([]string{"0s running #1", "1s done #1"}))
	})
}

func TestHandlerWhoseProgressGrowsMayTakeItsTime(t *testing.T) {
	play(t, usual, func(ctx context.Context, line func(string)) error {
		for i := range 6 {
			line(progress(float64(i) / 6))
			time.Sleep(9 * time.Second)
		}
		return nil
	}, func(g Gomega, status handler.Status, s *seen) {
		g.Expect(status.Verdict).To(Equal(handler.Done))
	})
}

func TestHeartbeatWithoutProgressIsNotLife(t *testing.T) {
	play(t, usual, func(ctx context.Context, line func(string)) error {
		for tick := 0; ; tick++ {
			line(progress(min(float64(tick), 3) / 10)) // grows for 3 s, then never again
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				time.Sleep(2 * time.Second) // takes its time to end
				return ctx.Err()
			}
		}
	}, func(g Gomega, status handler.Status, s *seen) {
		g.Expect(status.Verdict).To(Equal(handler.Hung))
		g.Expect(status.Progress).To(Equal(0.3))
		g.Expect(status.Error).To(Equal("progress has not grown for 10s"))
		g.Expect(status.FlaggedAt.Sub(s.began)).To(Equal(13 * time.Second))
		g.Expect(s.verdicts).To(endWith("13s hung #1"), "told at once, not when the handler has ended")
		g.Expect(time.Since(s.began)).To(Equal(15*time.Second), "returns when the handler has ended")
	})
}

func TestSilentHandlerHangs(t *testing.T) {
	play(t, usual, untilTold, func(g Gomega, status handler.Status, s *seen) {
		g.Expect(status.Verdict).To(Equal(handler.Hung))
		g.Expect(status.Progress).To(Equal(-1.0))
		g.Expect(time.Since(s.began)).To(Equal(10 * time.Second))
	})
}

func TestHandlerPastItsDeadlineIsOverdue(t *testing.T) {
	play(t, usual, func(ctx context.Context, line func(string)) error {
		for i := 0; ; i++ {
			line(progress(float64(i) / 1000))
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}, func(g Gomega, status handler.Status, s *seen) {
		g.Expect(status.Verdict).To(Equal(handler.Overdue))
		g.Expect(status.FlaggedAt.Sub(s.began)).To(Equal(time.Minute))
	})
}

func TestFailureIsRetriedWhileTimeRemains(t *testing.T) {
	tries := 0
	play(t, usual, func(ctx context.Context, line func(string)) error {
		tries++
		line(fmt.Sprint("try ", tries))
		if tries < 4 {
			return errors.New("exit status 1")
		}
		return nil
	}, func(g Gomega, status handler.Status, s *seen) {
		g.Expect(status.Verdict).To(Equal(handler.Done))
		g.Expect(status.Error).To(BeEmpty())
		g.Expect(s.verdicts).To(Equal([]string{"0s running #1", "1s running #2", "3s running #3", "7s running #4", "7s done #4"}))
		g.Expect(status.Output).To(Equal([]string{"try 1", "try 2", "try 3", "try 4"}))
	})
}

func TestFailureThatNoRetryMendsHasFailed(t *testing.T) {
	play(t, usual, func(ctx context.Context, line func(string)) error {
		line("no replica is caught up")
		return errors.New("exit status 1")
	}, func(g Gomega, status handler.Status, s *seen) {
		g.Expect(status.Verdict).To(Equal(handler.Failed))
		g.Expect(status.Error).To(Equal("exit status 1"))
		g.Expect(status.Attempt).To(Equal(6))
		g.Expect(status.FlaggedAt.Sub(s.began)).To(Equal(31*time.Second), "said as soon as no retry fits")
	})
}

func TestProgressOfARetryCountsAnew(t *testing.T) {
	tries := 0
	play(t, usual, func(ctx context.Context, line func(string)) error {
		tries++
		if tries == 1 {
			line(progress(0.9))
			return errors.New("exit status 1")
		}
		for i := range 5 { // never gets beyond what the first try reached
			line(progress(float64(i) / 10))
			time.Sleep(9 * time.Second)
		}
		return nil
	}, func(g Gomega, status handler.Status, s *seen) {
		g.Expect(status.Verdict).To(Equal(handler.Done))
	})
}

func TestCancelEndsTheHandlerAndIsNoFailure(t *testing.T) {
	for name, attempt := range map[string]handler.Attempt{
		"while it works":       untilTold,
		"between two attempts": func(context.Context, func(string)) error { return errors.New("exit status 1") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				s := &seen{began: time.Now()}
				status := handler.Run(ctx, usual, attempt, s.changed)
				g.Expect(status.Verdict).To(Equal(handler.Cancelled))
				g.Expect(status.FlaggedAt).To(BeZero())
				g.Expect(time.Since(s.began)).To(Equal(5 * time.Second))
				g.Expect(s.verdicts[len(s.verdicts)-1]).To(HavePrefix("5s cancelled"))
			})
		})
	}
}

func TestOnlyTheLastLinesAreKept(t *testing.T) {
	play(t, usual, func(ctx context.Context, line func(string)) error {
		for i := range 50 {
			line(fmt.Sprint("line ", i))
			line(`{"progress": "much"}`)
		}
		line(`{"progress": 7}`)
		return nil
	}, func(g Gomega, status handler.Status, s *seen) {
		g.Expect(status.Output).To(HaveLen(handler.OutputLines))
		g.Expect(status.Output).To(endWith(`{"progress": 7}`), "what is no progress is output")
		g.Expect(status.Progress).To(Equal(-1.0))
	})
}

// endWith matches a list by its last element.
func endWith(last string) OmegaMatcher {
	return WithTransform(func(list []string) string { return list[len(list)-1] }, Equal(last))
}

// untilTold says nothing and works until it is told to end.
func untilTold(ctx context.Context, line func(string)) error {
	<-ctx.Done()
	return ctx.Err()
}
