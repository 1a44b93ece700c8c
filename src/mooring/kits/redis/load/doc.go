// Package load puts a Redis Cluster under concurrent writes and reads, and
// remembers every write that was acknowledged so that each can be asked for
// again. It knows the cluster only as any client does.
//
// A key is a stream. Version v of it is the entry with the ID v-0, written by
// the key's only writer: the server itself refuses a version twice or out of
// order, so a write may be retried however it failed, and an acknowledged one
// that is missing later was lost by the cluster and by nobody else.
package load
