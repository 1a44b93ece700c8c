package model

// Policy is the lifecycle policy: what a developer promises about disruptions
// and may expect in return. Zero fields take the defaults of WithDefaults.
type Policy struct {
	MaxInterrupted Limit  `json:"max_interrupted"`
	MaxDraining    Limit  `json:"max_draining"`
	MaxDisrupted   *Limit `json:"max_disrupted,omitempty" doc:"Both kinds together; the larger of the two if left out"`

	Interrupt *Handler `json:"interrupt,omitempty"`
	// Drain is absent when the policy says "drain: none"; DataDisposable is
	// then true and losing a volume loses nothing.
	Drain          *Handler `json:"drain,omitempty"`
	DataDisposable bool     `json:"data_disposable,omitempty" doc:"The policy said drain: none"`

	// HealthyFor is how long an instance is healthy before it counts again.
	HealthyFor Duration `json:"healthy_for,omitempty"`
	// ReturnWithin is how long after its cell is back an interrupted instance
	// may take to serve.
	ReturnWithin Duration `json:"return_within,omitempty"`
	// Floating chooses what an interrupt does to an instance on a floating
	// volume: move it (the default) or let it stay for its cell's return.
	Floating FloatingChoice `json:"floating,omitempty" enum:"move,stay"`
	OnStuck  OnStuck        `json:"on_stuck,omitempty"`
}

// FloatingChoice is move or stay.
type FloatingChoice string

// What an interrupt does to an instance on a floating volume.
const (
	FloatingMove FloatingChoice = "move"
	FloatingStay FloatingChoice = "stay"
)

// Handler is what the cell runs to tell an instance of a disruption: a command
// inside the instance, or an HTTP endpoint of it. Exactly one is set.
type Handler struct {
	Command string `json:"command,omitempty"`
	HTTP    string `json:"http,omitempty" doc:"Path on the instance's first port; it is POSTed to"`
	// Cancel is a command that takes back what the handler has done. It is run
	// when the instance goes on after all: the handler hung, was overdue or
	// failed, or its permit was taken back. Of an interrupt only.
	Cancel string `json:"cancel,omitempty" doc:"Run in the instance when it goes on though the handler has begun"`
	// Timeout bounds the handler with all its retries.
	Timeout Duration `json:"timeout,omitempty"`
	// ProgressTimeout is how long progress may stand still before the handler
	// counts as hung.
	ProgressTimeout Duration `json:"progress_timeout,omitempty"`
}

// Hidden is the handler for those who may not see how it is called.
func (h *Handler) Hidden() *Handler {
	if h == nil {
		return nil
	}
	hidden := *h
	hidden.Command, hidden.HTTP, hidden.Cancel = HiddenText(h.Command), HiddenText(h.HTTP), HiddenText(h.Cancel)
	return &hidden
}

// OnStuck is what happens without a person when a disruption is stuck.
type OnStuck struct {
	Answer StuckChoice `json:"answer,omitempty" enum:"hold,skip,force"`
	After  Duration    `json:"after,omitempty" doc:"For force: how long to hold first"`
}

// StuckChoice is hold, skip or force.
type StuckChoice string

// What a policy or a plan does about something stuck.
const (
	StuckHold  StuckChoice = "hold"
	StuckSkip  StuckChoice = "skip"
	StuckForce StuckChoice = "force"
)

// Disrupted gives the limit on both kinds together, the larger of the two when
// the policy leaves it out, as the effective number for n desired instances.
func (p *Policy) Disrupted(n int) int {
	if p.MaxDisrupted != nil {
		return p.MaxDisrupted.Of(n)
	}
	return max(p.MaxInterrupted.Of(n), p.MaxDraining.Of(n))
}

// Handler gives the handler for a kind of disruption, nil when there is none.
func (p *Policy) Handler(kind Kind) *Handler {
	if kind == Drain {
		return p.Drain
	}
	return p.Interrupt
}
