// Package e2e tests the product as people meet it: the moor executable, a
// fleet of real processes, and the commands of the documentation.
package e2e
