package access

import (
	"net"
	"strings"
)

// Loopback reports whether a host, without a port, is this machine alone: who
// is there needs to prove nothing, and nobody else hears what is said.
func Loopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
