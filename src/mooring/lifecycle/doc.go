// Package lifecycle is the arithmetic between what a developer promised in a
// lifecycle policy and what an operator wants of a host. It says which
// disruption an action means for an instance (Means), how the instances of an
// app stand (Census), whether a claim on them may be granted (Judge), how far
// a granted disruption has come (Advance), and what a policy amounts to
// (Explain).
//
// Everything here is pure: no I/O, no clock but the time passed in, no
// goroutines. Whoever grants permits evaluates Judge on one consistent
// snapshot and commits by compare-and-swap on what the snapshot held.
package lifecycle
