// Package drill plants every way of being stuck on real fleets, and holds what
// people are told of it to what was planted: how soon, whose it is, what is
// known, and why.
package drill
