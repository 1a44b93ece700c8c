// Package director speaks to a BOSH Director over its documented HTTP API: the
// few parts of it that maintenance needs.
//
// Calls that only read are tried again when the Director does not answer.
// Calls that start a task carry a name of the caller's (a context ID), under
// which the task is looked for before it is started once more: however often a
// call is repeated, there is one task. None is started behind a lock that
// somebody holds, since a waiting task occupies one of the Director's workers;
// the holder is named instead.
package director
