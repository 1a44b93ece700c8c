// Package tarball holds the test of the release's tarball: what it holds, and
// that its packages compile from that alone, without a network. It is a package
// of its own because it takes minutes, which no other test is to wait for. It
// has no code of its own.
package tarball
