// Package cluster decides what one node of a Redis Cluster should do so that
// the nodes of an app form a cluster and stay one. It is pure: it reads what
// nodes say of themselves (CLUSTER NODES), and where the instances are, and
// gives the commands that this one node is to carry out on itself.
//
// Every node decides for itself, on what it sees, again and again. There is no
// lock and no coordinator: who does what follows from the indexes alone, and
// every action may be carried out twice.
package cluster
