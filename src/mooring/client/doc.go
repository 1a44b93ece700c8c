// Package client is the Go client of Mooring's HTTP API: what developers and
// operators ask of it, and the protocol that cells speak. The shapes on the
// wire that are not nouns of package model live here too; the server imports
// them.
//
// A Client knows several endpoints and uses one that answers. Every call takes
// a context and ends with it. What the API refuses comes back as *Error.
package client
