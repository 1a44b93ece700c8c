// Package release holds the tests of the BOSH release that this module is
// shipped in: they prepare the manifest, with every ops file, as a Director does
// before it touches a VM, run what the jobs would run, and compile the packages
// without a network. It has no code of its own.
package release
