// Package orchestrator takes cells through maintenance: plans become rolls,
// rolls ask for permits, act on their host and give the permits back, and what
// does not move is flagged as stuck, with evidence.
//
// The brain is decide: a pure function from a snapshot and the time to
// transactions and the next moment at which time alone will matter. Run is a
// thin loop around it. Everything it knows is in state, so it can be killed
// between any two commits and picks up where it was.
//
//	decide.go     one look at everything
//	steward.go    permits: how far each has come, who gets back what
//	plans.go      pause, resume, abort, done
//	dispatch.go   which cells start next (the order itself is sequence's)
//	gather.go     the order of cells that BOSH comes to unplanned
//	rolls.go      one roll's walk through its phases; approach.go and host.go
//	              hold one function for each phase before and after the host
//	              is acted on
//	claims.go     asking for permits, and waiting for them
//	stuck.go      flagging, closing; evidence.go finds the words
//	answers.go    what a person said to do about it
//	actions.go    host drivers, run beside the loop
//	improve.go    a better order for what a plan has not begun; improving.go
//	              looks for it beside the loop
//	foresee.go    when a plan under way ends: the same brain, from where it is
//	preview.go    the same brain, asked what would happen; picture.go draws it,
//	              beside.go has other plans in it
package orchestrator
