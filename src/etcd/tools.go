// Package etcd names the version of etcd that the release ships; the commands
// are built from their modules.
package etcd
