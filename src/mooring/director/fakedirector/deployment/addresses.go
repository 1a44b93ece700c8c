package deployment

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// placeAll places the instances of all groups, and gives each its IPs.
func (p *planning) placeAll() {
	for _, instance := range p.previous.existing() {
		for _, ip := range instance.IPs {
			p.taken[ip] = true
		}
	}
	for _, group := range p.groups {
		group.placed, group.obsolete = p.place(group)
		inOrder(group.placed)
	}
	// An errand has IPs only when it runs.
	for _, lifecycle := range []string{"service", "errand"} {
		for _, group := range p.groups {
			for _, instance := range group.placed {
				if group.lifecycle == lifecycle {
					p.settle(group, instance)
				}
			}
		}
	}
}

// settle returns an instance what its group says of VMs, and IPs.
func (p *planning) settle(group *groupPlan, i *Instance) {
	i.PersistentDisk, i.VMType, i.Stemcell = group.disk, group.vmType, group.stemcell.OS+"/"+group.stemcell.Version
	i.CloudProperties = p.director.Cloud.VMTypes[group.vmType]
	was := i.IPs
	i.IPs = map[string]string{}
	for _, name := range group.networks {
		network := p.director.Cloud.Networks[name]
		if kept := was[name]; kept != "" && network.reservable(kept) {
			i.IPs[name] = kept
			continue
		}
		i.IPs[name] = p.reserve(i, name, network)
	}
	i.IP = i.IPs[group.network]
	i.Address = p.address(i, group.network, i.IP, p.useNames)
}

func (p *planning) reserve(i *Instance, name string, network Network) string {
	for _, subnet := range network.Subnets {
		if i.AZ != "" && !slices.Contains(subnet.AZs, i.AZ) {
			continue
		}
		if ip, found := subnet.free(p.taken); found {
			p.taken[ip] = true
			return ip
		}
	}
	refuse("Failed to reserve IP for '%s/%s (%d)' for manual network '%s': no more available", i.Group, i.ID, i.Index, name)
	return ""
}

// address is how others reach an instance in a network.
func (p *planning) address(i *Instance, network, ip string, names bool) string {
	if names {
		return p.record(i.ID, i.Group, network)
	}
	return ip
}

// record is a name of BOSH DNS.
func (p *planning) record(host, group, network string) string {
	return strings.Join([]string{host, canonical(group), canonical(network), canonical(p.name), p.director.domain()}, ".")
}

var notCanonical = regexp.MustCompile(`[^a-z0-9-]`)

// canonical is a name as DNS has it.
func canonical(name string) string {
	name = notCanonical.ReplaceAllString(strings.ReplaceAll(strings.ToLower(name), "_", "-"), "")
	if strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-") {
		refuse("Invalid DNS canonical name '%s', cannot %s with a hyphen", name, map[bool]string{true: "start", false: "end"}[strings.HasPrefix(name, "-")])
	}
	return name
}

// records are the names that BOSH DNS knows.
func (p *planning) records() map[string][]string {
	records := map[string][]string{}
	for _, group := range p.groups {
		for _, instance := range group.placed {
			for network, ip := range instance.IPs {
				zone := slices.Index(p.director.Cloud.AZs, instance.AZ) + 1
				for _, host := range []string{instance.ID, "q-s0", fmt.Sprintf("q-a%ds0", zone)} {
					name := p.record(host, group.name, network)
					records[name] = append(records[name], ip)
				}
			}
		}
	}
	return records
}
