// Package node runs one Redis server of a cluster as an instance of a Mooring
// app: it starts and stops the server, keeps it in the cluster, and carries
// out what Mooring asks of the instance (health, interrupt, drain).
package node
