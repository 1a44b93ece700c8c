// Package director speaks to a BOSH Director over its documented HTTP API: the
// few parts of it that maintenance needs.
//
// Calls that only read are tried again when the Director does not answer.
// Calls that start a task carry a name of the caller's (a context ID), under
// which the task is looked for before it is started once more: however often a
// call is repeated, there is one task. None is started behind a lock that
// somebody holds, since a waiting task occupies one of the Director's workers;
// the holder is named instead.
//
// An instance is ignored for one thing only: so that a task for its whole group
// passes over it. It is from just before the task starts until BOSH has settled
// what the task does. Against the resurrector nothing is ignored. BOSH refuses to
// act on a single instance that is, and while it acts its lock keeps the
// resurrector out. Of what failed, a host that the resurrector brings back is
// welcome: its roll sees the new boot.
package director
