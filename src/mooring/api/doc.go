// Package api is the HTTP face of Mooring: JSON with an OpenAPI 3.1 document,
// for developers, operators and cells. It is a thin skin over package state:
// it reads snapshots, and what it is asked to change it decides on a snapshot
// and commits, deciding again when the state has moved on meanwhile. It keeps
// nothing of its own, so any number of nodes can serve it.
package api
