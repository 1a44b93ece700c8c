package cluster

import (
	"fmt"
	"strconv"
	"strings"

	"mooring/model"
)

// Identity says which instance of which app a node is. Nodes announce it as
// their hostname, so that it is known of a node that is down, and of one whose
// address now belongs to something else.
type Identity struct {
	Index int
	App   model.Name
}

// Hostname gives the identity in the form that a node announces, such as
// "3.redis-data.prod.acme".
func (i Identity) Hostname() string {
	return fmt.Sprintf("%d.%s.%s.%s", i.Index, i.App.Name, i.App.Space, i.App.Org)
}

// leaving begins the hostname of a node that is leaving the cluster.
const leaving = "leaving."

// LeavingHostname is what a node announces once its drain has come to the end:
// the others are to forget it, not to meet it again.
func (i Identity) LeavingHostname() string { return leaving + i.Hostname() }

// ParseIdentity reads what Hostname gave. ok is false for any other text.
func ParseIdentity(hostname string) (id Identity, ok bool) {
	parts := strings.Split(hostname, ".")
	if len(parts) != 4 {
		return Identity{}, false
	}
	index, err := strconv.Atoi(parts[0])
	if err != nil || index < 0 {
		return Identity{}, false
	}
	return Identity{Index: index, App: model.Name{Org: parts[3], Space: parts[2], Name: parts[1]}}, true
}
