// Package model holds the words of Mooring as plain structs: what a developer
// and an operator ask for (desired state), what cells say is so (actual
// state), and the contract between the two. It knows validation and nothing
// else: no I/O, no clock, no goroutines. Every other package imports it and
// it imports none of them.
//
// Desired and actual state live in separate records so that each record has
// exactly one writer:
//
//	App, VolumeSet          the API, on behalf of a developer
//	Instance, Volume        the scheduler
//	Cell, Presence, Actual* the API, on behalf of the cell that reported
//	Ledger, Claim           whoever holds or asks for a permit, by compare-and-swap
//	Plan, Roll, Stuck       the orchestrator; the API only writes intents and answers
//	Durations               the orchestrator
package model
