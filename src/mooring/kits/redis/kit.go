// Package redis is the Redis kit: what a developer of a data service writes to
// run a Redis Cluster on Mooring. README.md says how it keeps every
// acknowledged write.
package redis

import _ "embed"

//go:embed manifest.yml
var manifest []byte

// Manifest gives the kit's app manifest, as it would be pushed.
func Manifest() []byte { return append([]byte(nil), manifest...) }
