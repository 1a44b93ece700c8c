// Package release holds the tests of the BOSH release that this module is
// shipped in: they render the templates of every job, apply every ops file,
// run what the jobs would run, and compile the packages without a network. It
// has no code of its own.
package release
