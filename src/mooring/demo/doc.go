// Package demo rolls six hosts under a live, loaded Redis Cluster and proves
// what happened: it starts a fleet on this machine, pushes the Redis kit, puts
// load on it, rolls every cell, has one handler hang, kills the control plane,
// and verifies every acknowledged write. All that a person would do it does
// with the moor command line; what it says about the service it saw from
// outside, not in Mooring's books.
package demo
