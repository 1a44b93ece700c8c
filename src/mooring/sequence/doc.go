// Package sequence decides which cell is rolled next. It plans (Order,
// Improve), proves how good any plan could be (Bound), dispatches online
// (Dispatcher), foretells (Simulate) and audits (Check).
//
// The problem: every cell takes some time to roll and, while it does, spends
// some of the budget of every app that has instances on it. Cells may be in
// roll together while no app spends more than its limit. The package knows
// neither where durations come from nor what a permit is; the ledgers have the
// last word on every start.
//
// It is pure: no I/O, no goroutines, no clock but one passed in. Cells and
// apps are small integers, the positions in Problem.Cells and Problem.Apps.
package sequence
