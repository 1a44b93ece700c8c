// Package estimate says how long things will take: learned from what was
// measured, told as a range, and held to account for it.
//
// What is measured is kept as the newest samples of each step, in
// model.Durations: what hosts do by action and phase, what handlers and
// returns take by app. Out of the samples of a step comes a Dist, its
// distribution, in which old samples fade and a prior fills in while there are
// few. A Roll puts the distributions of its steps together: what runs together
// takes as long as the longest, what runs one after another adds up.
//
// A Dist has two kinds of doubt, and plans need them apart. One is chance, new
// for each roll; over many rolls it evens out. The other is not knowing the
// step well, which makes all rolls of a plan longer or shorter together. So
// each of the Draws is one way things may be: within one, the same doubt about
// a step moves every roll that has it.
//
// The package is pure: no I/O, no clock but the one passed in.
package estimate
