// Package watch looks at the nodes of a Redis Cluster from outside, every few
// milliseconds, and writes down which of them did not serve, when and why. It
// asks nobody but the nodes.
//
// A node serves when it accepts connections, has its data loaded, says that
// the cluster works, and, as a replica, has its primary's data. A node that
// does not answer does not serve either, but only silence of some length
// counts: a busy machine is no outage.
package watch
