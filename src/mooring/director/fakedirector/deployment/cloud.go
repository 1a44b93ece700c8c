package deployment

import (
	"net/netip"
	"slices"
)

// Cloud is the cloud config, and the stemcells that were uploaded.
type Cloud struct {
	AZs []string
	// VMTypes are cloud properties by name; other ones mean other VMs.
	VMTypes   map[string]map[string]any
	DiskTypes map[string]int // name -> MB
	Networks  map[string]Network
	Stemcells []Stemcell // the last one of an OS is the latest
}

// Network is a manual network.
type Network struct{ Subnets []Subnet }

// Subnet is a range of IPs for some AZs.
type Subnet struct {
	Range    string // 10.0.1.0/24
	Gateway  string
	AZs      []string
	Reserved []string // single IPs that nobody is given
}

// Stemcell is one that was uploaded.
type Stemcell struct{ OS, Version string }

// DefaultCloud has the AZs, types, network and stemcells that the manifest here
// asks for, with a subnet for each AZ: 10.0.1.0/24 for z1 and so on.
func DefaultCloud() Cloud {
	cloud := Cloud{
		AZs:       []string{"z1", "z2", "z3"},
		VMTypes:   map[string]map[string]any{"default": {}},
		DiskTypes: map[string]int{"default": 10240},
		Stemcells: []Stemcell{{"ubuntu-jammy", "1.915"}, {"ubuntu-noble", "1.915"}},
	}
	network := Network{}
	for i, az := range cloud.AZs {
		base := netip.AddrFrom4([4]byte{10, 0, byte(i + 1), 0})
		network.Subnets = append(network.Subnets, Subnet{Range: base.String() + "/24", Gateway: base.Next().String(), AZs: []string{az}})
	}
	cloud.Networks = map[string]Network{"default": network}
	return cloud
}

// latest resolves "latest" of the stemcells of an OS.
func (c Cloud) latest(os string) string {
	version := ""
	for _, stemcell := range c.Stemcells {
		if stemcell.OS == os {
			version = stemcell.Version
		}
	}
	if version == "" {
		refuse("Stemcell with Operating System '%s' doesn't exist", os)
	}
	return version
}

func (c Cloud) hasStemcell(s Stemcell) bool { return slices.Contains(c.Stemcells, s) }

// serves reports whether the network has a subnet for each AZ.
func (n Network) serves(azs []string) bool {
	for _, az := range azs {
		if !slices.ContainsFunc(n.Subnets, func(s Subnet) bool { return slices.Contains(s.AZs, az) }) {
			return false
		}
	}
	return true
}

// free is the first IP of a subnet that nobody has.
func (s Subnet) free(taken map[string]bool) (ip string, found bool) {
	prefix := netip.MustParsePrefix(s.Range)
	for at := prefix.Addr().Next(); prefix.Contains(at.Next()); at = at.Next() {
		ip := at.String()
		if ip != s.Gateway && !slices.Contains(s.Reserved, ip) && !taken[ip] {
			return ip, true
		}
	}
	return "", false
}

// reservable reports whether an IP that is kept is one of the network's.
func (n Network) reservable(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	return err == nil && slices.ContainsFunc(n.Subnets, func(s Subnet) bool {
		return netip.MustParsePrefix(s.Range).Contains(addr) && ip != s.Gateway && !slices.Contains(s.Reserved, ip)
	})
}

// subnetOf is the one that an IP is in.
func (n Network) subnetOf(ip string) Subnet {
	for _, subnet := range n.Subnets {
		if netip.MustParsePrefix(subnet.Range).Contains(netip.MustParseAddr(ip)) {
			return subnet
		}
	}
	return Subnet{}
}
