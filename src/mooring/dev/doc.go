// Package dev runs a whole fleet on one machine: a supervisor with one child
// process for the control plane and two for each cell (its volume manager and
// its agent), so that anything that can die in production can really be
// killed here. It does to a cell what a host action would do to a VM, and
// leaves nothing behind when it stops. It needs no root.
package dev
