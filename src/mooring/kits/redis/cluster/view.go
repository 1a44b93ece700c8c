package cluster

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Slots is how many hash slots every Redis Cluster has.
const Slots = 16384

// Range is hash slots From to To, both inclusive.
type Range struct{ From, To int }

// Node is what one node says of another, or of itself.
type Node struct {
	ID string
	// Host, Port and Bus are where it is reached; Host is "" when unknown.
	Host      string
	Port, Bus int
	// Identity is valid when Known: the node announced which instance it is.
	Identity Identity
	Known    bool
	// Quitting: it announced that it is leaving the cluster.
	Quitting bool
	Myself   bool
	// Primary is false for a replica; PrimaryID is then whom it replicates.
	Primary   bool
	PrimaryID string
	// Failed: a majority of the primaries says that it does not answer.
	Failed bool
	// Handshake: it has been met and has not answered yet.
	Handshake bool
	// Connected: there is a bus connection to it. Always true of Myself.
	Connected bool
	Owned     []Range
	// Leaving and Arriving are the slots being moved away from, or to, the
	// node that speaks, with the ID of the other node. Only Myself has any.
	Leaving, Arriving map[int]string
}

// Count is how many slots the node owns.
func (n *Node) Count() int {
	count := 0
	for _, r := range n.Owned {
		count += r.To - r.From + 1
	}
	return count
}

// Owns reports whether the node owns a slot.
func (n *Node) Owns(slot int) bool {
	for _, r := range n.Owned {
		if r.From <= slot && slot <= r.To {
			return true
		}
	}
	return false
}

// SlotList gives the slots the node owns, in order.
func (n *Node) SlotList() []int {
	slots := make([]int, 0, n.Count())
	for _, r := range n.Owned {
		for slot := r.From; slot <= r.To; slot++ {
			slots = append(slots, slot)
		}
	}
	return slots
}

// View is the cluster as one node sees it.
type View struct {
	Nodes []Node
}

// Myself is the node whose view it is.
func (v *View) Myself() *Node {
	for i := range v.Nodes {
		if v.Nodes[i].Myself {
			return &v.Nodes[i]
		}
	}
	return nil
}

// Node finds a node by ID, nil when the view does not have it.
func (v *View) Node(id string) *Node {
	for i := range v.Nodes {
		if v.Nodes[i].ID == id {
			return &v.Nodes[i]
		}
	}
	return nil
}

// Primaries are the nodes that own slots.
func (v *View) Primaries() []*Node {
	var owners []*Node
	for i := range v.Nodes {
		if v.Nodes[i].Primary && len(v.Nodes[i].Owned) > 0 {
			owners = append(owners, &v.Nodes[i])
		}
	}
	return owners
}

// Replicas are the nodes that replicate the one with this ID, failed ones too.
func (v *View) Replicas(id string) []*Node {
	var replicas []*Node
	for i := range v.Nodes {
		if !v.Nodes[i].Primary && v.Nodes[i].PrimaryID == id {
			replicas = append(replicas, &v.Nodes[i])
		}
	}
	return replicas
}

// Unowned gives the slots that nobody owns, in order.
func (v *View) Unowned() []int {
	var owned [Slots]bool
	for i := range v.Nodes {
		for _, slot := range v.Nodes[i].SlotList() {
			owned[slot] = true
		}
	}
	var free []int
	for slot, taken := range owned {
		if !taken {
			free = append(free, slot)
		}
	}
	return free
}

// ParseView reads the answer to CLUSTER NODES of Redis 7.
func ParseView(text string) (*View, error) {
	view := &View{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		node, err := parseNode(line)
		if err != nil {
			return nil, fmt.Errorf("reading CLUSTER NODES line %q: %w", line, err)
		}
		view.Nodes = append(view.Nodes, node)
	}
	if view.Myself() == nil {
		return nil, fmt.Errorf("reading CLUSTER NODES: no line is marked myself")
	}
	return view, nil
}

// parseNode reads "ID HOST:PORT@BUS,HOSTNAME FLAGS PRIMARY PING PONG EPOCH
// LINK SLOTS...".
func parseNode(line string) (Node, error) {
	fields := strings.Fields(line)
	if len(fields) < 8 {
		return Node{}, fmt.Errorf("%d fields, at least 8 wanted", len(fields))
	}
	node := Node{ID: fields[0], Connected: fields[7] == "connected"}
	if err := node.parseAddress(fields[1]); err != nil {
		return Node{}, err
	}
	for _, flag := range strings.Split(fields[2], ",") {
		switch flag {
		case "myself":
			node.Myself, node.Connected = true, true
		case "master":
			node.Primary = true
		case "fail":
			node.Failed = true
		case "handshake":
			node.Handshake = true
		case "noaddr":
			node.Host = ""
		}
	}
	if fields[3] != "-" {
		node.PrimaryID = fields[3]
	}
	for _, field := range fields[8:] {
		if err := node.parseSlots(field); err != nil {
			return Node{}, err
		}
	}
	return node, nil
}

func (n *Node) parseAddress(text string) error {
	address, hostname, _ := strings.Cut(text, ",")
	hostname, n.Quitting = strings.CutPrefix(hostname, leaving)
	n.Identity, n.Known = ParseIdentity(hostname)
	address, bus, _ := strings.Cut(address, "@")
	host, port, err := net.SplitHostPort(bracketed(address))
	if err != nil {
		return err
	}
	n.Host = host
	if n.Port, err = strconv.Atoi(port); err != nil {
		return err
	}
	n.Bus, err = strconv.Atoi(bus)
	return err
}

// bracketed puts the brackets round an IPv6 address that Redis leaves out.
func bracketed(address string) string {
	if strings.Count(address, ":") < 2 || strings.HasPrefix(address, "[") {
		return address
	}
	colon := strings.LastIndex(address, ":")
	return "[" + address[:colon] + "]" + address[colon:]
}

// parseSlots reads "5", "0-5460", "[93->-ID]" or "[93-<-ID]".
func (n *Node) parseSlots(text string) error {
	if inner, open := strings.CutPrefix(text, "["); open {
		return n.parseMoving(strings.TrimSuffix(inner, "]"))
	}
	first, last, several := strings.Cut(text, "-")
	if !several {
		last = first
	}
	from, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	to, err := strconv.Atoi(last)
	if err != nil {
		return err
	}
	if from < 0 || to >= Slots || from > to {
		return fmt.Errorf("slots %s do not exist", text)
	}
	n.Owned = append(n.Owned, Range{From: from, To: to})
	return nil
}

func (n *Node) parseMoving(text string) error {
	moving := &n.Leaving
	number, other, found := strings.Cut(text, "->-")
	if !found {
		moving = &n.Arriving
		if number, other, found = strings.Cut(text, "-<-"); !found {
			return fmt.Errorf("%q is no moving slot", text)
		}
	}
	slot, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	if *moving == nil {
		*moving = map[int]string{}
	}
	(*moving)[slot] = other
	return nil
}
