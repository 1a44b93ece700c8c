// Package devtest runs whole fleets for tests: `moor dev` of the source as it
// is, used through the command line as a person would. Any number of them run
// beside each other, in one test binary or many: each has a state directory
// and addresses of its own.
package devtest
