// Package nodetest runs redis-node processes for tests, with real Redis
// servers and without Mooring: it plays the platform that starts an instance
// again when it dies, and the API that says where the instances are.
package nodetest
