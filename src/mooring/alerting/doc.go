// Package alerting takes what is stuck to those whom it concerns.
//
// State is the spool. What became stuck, reads differently or is no longer
// stuck is an event, written in the transaction that made it so; each receiver
// has a record of the last event it took. So a receiver that is down misses
// nothing, it is told once it is back, and whoever leads next goes on where
// the last one was. A receiver is told of each change once; only when a leader
// dies between the receiver's answer and the writing down of it, is it told
// again, under the same ID.
//
// Receivers do not wait for each other.
package alerting
