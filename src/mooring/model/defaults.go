package model

import "time"

// The defaults of a policy, its handlers and an app's health check.
const (
	DefaultHealthyFor   = Duration(10 * time.Second)
	DefaultReturnWithin = Duration(10 * time.Minute)

	DefaultInterruptTimeout  = Duration(60 * time.Second)
	DefaultInterruptProgress = Duration(15 * time.Second)
	DefaultDrainTimeout      = Duration(2 * time.Hour)
	DefaultDrainProgress     = Duration(5 * time.Minute)

	DefaultHealthInterval = Duration(2 * time.Second)
	DefaultHealthTimeout  = Duration(2 * time.Second)
	DefaultStartTimeout   = Duration(60 * time.Second)

	DefaultMemory = 256 * Megabyte
)

// WithDefaults fills what the policy leaves open: healthy for 10s, back within
// 10m, floating volumes move, hold when stuck, and the handlers' timeouts. An
// open max_disrupted stays open: it follows the two other limits.
func (p Policy) WithDefaults() Policy {
	fill(&p.HealthyFor, DefaultHealthyFor)
	fill(&p.ReturnWithin, DefaultReturnWithin)
	fill(&p.Floating, FloatingMove)
	fill(&p.OnStuck.Answer, StuckHold)
	for _, h := range []struct {
		at   **Handler
		kind Kind
	}{{&p.Interrupt, Interrupt}, {&p.Drain, Drain}} {
		if *h.at != nil {
			filled := (*h.at).WithDefaults(h.kind)
			*h.at = &filled
		}
	}
	return p
}

// WithDefaults fills the timeouts: 60s to interrupt with progress every 15s,
// 2h to drain with progress every 5m. A handler with a shorter timeout of its
// own is not given a longer progress timeout than that.
func (h Handler) WithDefaults(kind Kind) Handler {
	timeout, progress := DefaultInterruptTimeout, DefaultInterruptProgress
	if kind == Drain {
		timeout, progress = DefaultDrainTimeout, DefaultDrainProgress
	}
	fill(&h.Timeout, timeout)
	fill(&h.ProgressTimeout, min(progress, h.Timeout))
	return h
}

// WithDefaults fills the check: a connection to the first port every 2s, which
// fails after 2s; 60s to become healthy after a start. The path for http is /.
func (h HealthCheck) WithDefaults() HealthCheck {
	fill(&h.Type, HealthPort)
	fill(&h.Interval, DefaultHealthInterval)
	fill(&h.Timeout, DefaultHealthTimeout)
	fill(&h.StartTimeout, DefaultStartTimeout)
	if h.Type == HealthHTTP {
		fill(&h.Path, "/")
	}
	return h
}

// WithDefaults fills the memory, 256M, and the health check.
func (s RunSpec) WithDefaults() RunSpec {
	fill(&s.Memory, DefaultMemory)
	s.Health = s.Health.WithDefaults()
	return s
}

// fill sets a field that was left open.
func fill[T comparable](field *T, value T) {
	var open T
	if *field == open {
		*field = value
	}
}
