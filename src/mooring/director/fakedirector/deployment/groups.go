package deployment

import (
	"slices"
	"strings"
)

// unknownInGroups are keys of instance groups that this package does not know.
var unknownInGroups = []string{"migrated_from", "persistent_disks", "vm_resources", "vm_extensions", "env", "properties", "state"}

func (p *planning) parseGroup(g given) {
	group := &groupPlan{name: g.string("name"), lifecycle: g.stringOr("lifecycle", "service")}
	if group.lifecycle != "service" && group.lifecycle != "errand" {
		refuse("Invalid lifecycle '%s' for '%s', valid lifecycle profiles are: service, errand", group.lifecycle, group.name)
	}
	if !g.has("jobs") {
		refuse("Instance group '%s' does not specify jobs key", group.name)
	}
	g.without("instance groups", unknownInGroups...)
	for _, element := range g.list("jobs") {
		p.parseJob(group, asGiven(element))
	}
	for i, job := range group.jobs {
		if slices.ContainsFunc(group.jobs[:i], func(other *jobPlan) bool { return other.Name == job.Name }) {
			refuse("Colocated job '%s' is already added to the instance group '%s'", job.Name, group.name)
		}
	}
	p.parseMachine(group, g)
	group.update = updateOf(g.tree("update"), &p.update)
	p.parseNetworks(group, g)
	group.instances = g.int("instances")
	for _, other := range p.groups {
		if canonical(other.name) == canonical(group.name) {
			refuse("Invalid instance group name '%s', canonical name already taken", group.name)
		}
	}
	p.groups = append(p.groups, group)
}

func (p *planning) parseJob(group *groupPlan, g given) {
	name, releaseName := g.string("name"), g.string("release")
	release := p.releases[releaseName]
	if release == nil {
		refuse("Job '%s' (instance group '%s') references an unknown release '%s'", name, group.name, releaseName)
	}
	job := release.Jobs[name]
	if job == nil {
		refuse("Job '%s' not found in release '%s'", name, release.Name)
	}
	properties := map[string]any(g.tree("properties"))
	p.provide(group, release.Name, job, g, properties)
	p.consume(group, job, g)
	group.jobs = append(group.jobs, &jobPlan{Job: job, release: release, properties: properties})
}

// parseMachine reads what VM a group has.
func (p *planning) parseMachine(group *groupPlan, g given) {
	if g.has("persistent_disk") && g.has("persistent_disk_type") {
		refuse("Instance group '%s' specifies more than one of the following keys: 'persistent_disk', 'persistent_disk_type', and 'persistent_disks'. Choose one.", group.name)
	}
	if g.has("persistent_disk") {
		if group.disk = g.int("persistent_disk"); group.disk < 0 {
			refuse("Instance group '%s' references an invalid persistent disk size '%d'", group.name, group.disk)
		}
	}
	if g.has("persistent_disk_type") {
		name := g.string("persistent_disk_type")
		size, known := p.director.Cloud.DiskTypes[name]
		if !known {
			refuse("Instance group '%s' references an unknown disk type '%s'", group.name, name)
		}
		group.disk = size
	}
	alias := g.string("stemcell")
	stemcell, known := p.stemcells[alias]
	if !known {
		refuse("Instance group '%s' references an unknown stemcell '%s'", group.name, alias)
	}
	group.stemcell = stemcell
	if !g.has("vm_type") {
		refuse("Instance group '%s' is missing either 'vm_type' or 'vm_resources' section.", group.name)
	}
	group.vmType = g.string("vm_type")
	if _, known := p.director.Cloud.VMTypes[group.vmType]; !known {
		refuse("Instance group '%s' references an unknown vm type '%s'", group.name, group.vmType)
	}
}

// parseNetworks reads the networks and the AZs of a group.
func (p *planning) parseNetworks(group *groupPlan, g given) {
	specs := g.list("networks")
	if len(specs) == 0 {
		refuse("Instance group '%s' must specify at least one network", group.name)
	}
	group.defaults = map[string][]string{}
	for _, element := range specs {
		n := asGiven(element)
		name := n.string("name")
		n.without("networks of instance groups", "static_ips", "nic_group")
		if _, known := p.director.Cloud.Networks[name]; !known {
			refuse("Instance group '%s' references an unknown network '%s'", group.name, name)
		}
		group.networks = append(group.networks, name)
		for _, what := range n.listOr("default") {
			group.defaults[text(what)] = append(group.defaults[text(what)], name)
		}
	}
	group.settleDefaults()
	p.parseAZs(group, g)
}

// settleDefaults finds the network that an instance is reached by.
func (group *groupPlan) settleDefaults() {
	var missing []string
	for _, what := range []string{"dns", "gateway"} {
		if len(group.networks) == 1 {
			group.defaults[what] = group.networks
		}
		if len(group.defaults[what]) == 0 {
			missing = append(missing, what)
		}
	}
	for _, what := range sorted(group.defaults) {
		if named := group.defaults[what]; len(named) > 1 {
			refuse("Instance group '%s' specified more than one network to contain default. '%s' has default networks: '%s'.", group.name, what, strings.Join(named, "', '"))
		}
	}
	if missing != nil {
		refuse("Instance group '%s' must specify which network is default for %s, since it has more than one network configured", group.name, strings.Join(missing, ", "))
	}
	group.network = group.defaults["gateway"][0]
	if named := group.defaults["addressable"]; len(named) > 0 {
		group.network = named[0]
	}
}

func (p *planning) parseAZs(group *groupPlan, g given) {
	if g.has("azs") {
		group.azs = []string{}
	}
	for _, element := range g.listOr("azs") {
		az, isText := element.(string)
		if !isText {
			refuse("Instance group '%s' has invalid availability zone '%s', string expected", group.name, text(element))
		}
		group.azs = append(group.azs, az)
	}
	for _, name := range group.networks {
		network := p.director.Cloud.Networks[name]
		zoned := slices.ContainsFunc(network.Subnets, func(s Subnet) bool { return len(s.AZs) > 0 })
		if group.azs == nil && zoned || !network.serves(group.azs) {
			refuse("Instance group '%s' must specify availability zone that matches availability zones of network '%s'", group.name, name)
		}
	}
	if group.azs != nil && len(group.azs) == 0 {
		refuse("Instance group '%s' has empty availability zones", group.name)
	}
	for _, az := range group.azs {
		if !slices.Contains(p.director.Cloud.AZs, az) {
			refuse("Instance group '%s' references unknown availability zone '%s'", group.name, az)
		}
	}
}
