package deployment

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Director has what was uploaded to a Director.
type Director struct {
	// Name is what the names of variables begin with; "director" if empty.
	Name     string
	Releases map[string]*Release
	Cloud    Cloud
	Config   *ConfigServer
	// Others are further deployments on the Director, whose shared links can be
	// consumed.
	Others []*Deployment
	// DNSDomain is "bosh" if empty.
	DNSDomain string
	// UseDNSAddresses is for manifests that do not say it in features.
	UseDNSAddresses bool
	// NewID makes the ID of a new instance; a random UUID if nil.
	NewID func() string
}

func (d *Director) domain() string {
	if d.DNSDomain == "" {
		return "bosh"
	}
	return d.DNSDomain
}

// other returns the other deployment of a name, nil for none.
func (d *Director) other(name string) *Deployment {
	for _, deployment := range d.Others {
		if deployment.Name == name {
			return deployment
		}
	}
	return nil
}

func (d *Director) newID() string {
	if d.NewID == nil {
		return uuid.NewString()
	}
	return d.NewID()
}

// Variable is the name under which the config server has a variable of a
// deployment.
func (d *Director) Variable(deployment, name string) string {
	return d.scope(deployment).absolute(name)
}

func (d *Director) scope(deployment string) scope {
	director := d.Name
	if director == "" {
		director = "director"
	}
	return scope{config: d.Config, prefix: "/" + director + "/" + deployment + "/"}
}

// planning is a deployment while it is prepared.
type planning struct {
	director  *Director
	previous  *Deployment
	name      string
	useNames  bool
	converge  bool
	update    Update
	stemcells map[string]Stemcell
	releases  map[string]*Release
	variables []given
	groups    []*groupPlan
	providers []*provider
	consumers []*consumer
	taken     map[string]bool // IPs
}

// groupPlan is an instance group of the manifest.
type groupPlan struct {
	name      string
	lifecycle string
	jobs      []*jobPlan
	stemcell  Stemcell
	vmType    string
	disk      int
	networks  []string
	network   string // the one that is the default
	defaults  map[string][]string
	azs       []string // nil for none at all
	instances int
	update    Update
	placed    []*Instance
	obsolete  []*Instance
}

// jobPlan is a job of a group.
type jobPlan struct {
	*Job
	release    *Release
	properties map[string]any // of the manifest; then those that were bound
}

// Prepare does what the Director does with a manifest before it touches a VM. It
// is also all of `bosh deploy --dry-run`. The config server generates what is
// missing either way.
func (d *Director) Prepare(manifest any, previous *Deployment) (prepared *Deployment, err error) {
	var problem error
	err = caught(func() {
		p := &planning{director: d, previous: previous, taken: map[string]bool{}}
		p.parse(asGiven(copied(manifest)))
		p.match()
		p.placeAll()
		p.bindProperties()
		p.bindLinks()
		p.generate()
		prepared, problem = p.render()
	})
	if err == nil {
		err = problem
	}
	if err != nil {
		return nil, err
	}
	return prepared, nil
}

func (p *planning) scope() scope { return p.director.scope(p.name) }

// ofCloud are sections that belong into a cloud config.
var ofCloud = []string{"vm_types", "azs", "disk_types", "compilation"}

// parse reads the manifest.
func (p *planning) parse(g given) {
	p.name = g.string("name")
	g = p.readVariables(g)
	for _, section := range ofCloud {
		if g.has(section) {
			refuse("Deployment manifest contains '%s' section, but this can only be set in a cloud-config.", section)
		}
	}
	for section, says := range map[string]string{
		"networks": "Deployment 'networks' are no longer supported. Network definitions must now be provided in a cloud-config.",
		"jobs":     "Jobs are no longer supported, please use instance groups instead",
	} {
		if g.has(section) {
			refuse("%s", says)
		}
	}
	g.without("the manifest", "properties", "addons")
	p.parseStemcells(g)
	p.parseReleases(g)
	p.update = updateOf(typed[map[string]any]("update", g.need("update"), "Hash"), nil)
	p.parseVariables(g)
	p.parseFeatures(g.tree("features"))
	for _, element := range g.listOr("instance_groups") {
		p.parseGroup(asGiven(element))
	}
	if len(p.stemcells) == 0 {
		refuse("'stemcells' needs to be specified")
	}
}

// readVariables replaces the variables of the manifest everywhere but in
// properties and env, which keep theirs until templates are rendered.
func (p *planning) readVariables(g given) given {
	kept := map[string]any{}
	var hide func(node any, path string) any
	hidden := regexp.MustCompile(`^/(instance_groups|addons)/\d+/(properties|env|jobs/\d+/properties|jobs/\d+/consumes/[^/]+/properties)$|^/properties$`)
	hide = func(node any, path string) any {
		if hidden.MatchString(path) {
			kept[path] = node
			return path
		}
		switch node := node.(type) {
		case map[string]any:
			for key, value := range node {
				node[key] = hide(value, path+"/"+key)
			}
		case []any:
			for i, value := range node {
				node[i] = hide(value, fmt.Sprintf("%s/%d", path, i))
			}
		}
		return node
	}
	var show func(node any) any
	show = func(node any) any {
		switch node := node.(type) {
		case string:
			if value, isKept := kept[node]; isKept {
				return value
			}
		case map[string]any:
			for key, value := range node {
				node[key] = show(value)
			}
		case []any:
			for i, value := range node {
				node[i] = show(value)
			}
		}
		return node
	}
	return asGiven(show(p.scope().interpolated(hide(map[string]any(g), ""))))
}

func (p *planning) parseStemcells(g given) {
	p.stemcells = map[string]Stemcell{}
	for _, element := range g.listOr("stemcells") {
		s := asGiven(element)
		alias := s.string("alias")
		if _, twice := p.stemcells[alias]; twice {
			refuse("Duplicate stemcell alias '%s'", alias)
		}
		s.without("stemcells", "name")
		if !s.has("os") {
			refuse("Required property 'os' or 'name' was not specified in object (%s)", inspected(map[string]any(s)))
		}
		stemcell := Stemcell{OS: s.string("os"), Version: s.string("version")}
		if stemcell.Version == "latest" {
			stemcell.Version = p.director.Cloud.latest(stemcell.OS)
		}
		if !p.director.Cloud.hasStemcell(stemcell) {
			refuse("Stemcell version '%s' for OS '%s' doesn't exist", stemcell.Version, stemcell.OS)
		}
		p.stemcells[alias] = stemcell
	}
}

// parseReleases reads which releases are used. One with a url is uploaded by bosh
// before it deploys, so that it is there, in the version that is asked for.
func (p *planning) parseReleases(g given) {
	p.releases = map[string]*Release{}
	for _, element := range g.list("releases") {
		r := asGiven(element)
		name, version := r.string("name"), r.string("version")
		if _, twice := p.releases[name]; twice {
			refuse("Duplicate release name '%s'", name)
		}
		release := p.director.Releases[name]
		if release == nil {
			refuse("Release '%s' doesn't exist", name)
		}
		if r.has("url") {
			uploaded := *release
			uploaded.Version = version
			release = &uploaded
		}
		if version != "latest" && version != release.Version {
			refuse("Release version '%s/%s' doesn't exist", name, version)
		}
		p.releases[name] = release
	}
}

func (p *planning) parseFeatures(g given) {
	for _, name := range sorted(g) {
		if _, isBool := g[name].(bool); !isBool {
			refuse("Key '%s' in 'features' expected to be a boolean, but received '%s'", name, class(g[name]))
		}
	}
	g.without("features", "use_short_dns_addresses", "use_link_dns_names", "randomize_az_placement")
	p.useNames = g.boolOr("use_dns_addresses", p.director.UseDNSAddresses)
	p.converge = g.boolOr("converge_variables", false)
}

// parseVariables reads the variables that are to be generated.
func (p *planning) parseVariables(g given) {
	seen := map[string]bool{}
	for _, element := range g.listOr("variables") {
		tree, isTree := element.(map[string]any)
		if !isTree {
			refuse("All 'variables' elements should be Hashes")
		}
		v := given(tree)
		name, _ := v["name"].(string)
		switch {
		case !v.has("name"):
			refuse("At least one of the variables is missing the 'name' key; 'name' must be specified")
		case strings.TrimSpace(name) == "":
			refuse("At least one of the variables has an empty 'name'; 'name' must not be empty or nil")
		case !v.has("type"):
			refuse("Type for variable '%s' is missing; 'type' must be specified", name)
		case class(v["type"]) != "String":
			refuse("Type for variable '%s' must be a String, but was '%s'", name, text(v["type"]))
		case v["consumes"] != nil && class(v["consumes"]) != "Hash":
			refuse("Consumes for variable '%s' must be a Hash or nil", name)
		case seen[name]:
			refuse("Some of the variables have duplicate names, eg: '%s'", name)
		case v["options"] != nil && class(v["options"]) != "Hash":
			refuse("options of variable with name '%s' is not a Hash", name)
		}
		v.without("variables", "update")
		seen[name] = true
		p.variables = append(p.variables, v)
		p.consumeVariable(v)
	}
}

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

// settle gives an instance what its group says of VMs, and IPs.
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

func (p *planning) bindProperties() {
	for _, group := range p.groups {
		for _, job := range group.jobs {
			job.properties = job.bind(orEmpty(job.properties))
		}
	}
}

func orEmpty(tree map[string]any) map[string]any {
	if tree == nil {
		return map[string]any{}
	}
	return tree
}

// generate has the config server make the variables of the manifest, with the
// addresses that they consume.
func (p *planning) generate() {
	for _, v := range p.variables {
		name := v.string("name")
		if !regexp.MustCompile(`\A[a-zA-Z0-9_\-/]+\z`).MatchString(name) {
			refuse("Variable name '%s' must only contain alphanumeric, underscores, dashes, or forward slash characters", name)
		}
		options := given(orEmpty(maps.Clone(map[string]any(asGiven(v["options"])))))
		if ca := options.stringOr("ca", ""); ca != "" {
			options["ca"] = p.scope().absolute(ca)
		}
		p.addAddresses(name, options)
		mode := v.stringOr("update_mode", map[bool]string{true: "converge", false: "no-overwrite"}[p.converge])
		p.director.Config.generate(p.scope().absolute(name), v.string("type"), mode, options)
	}
}

func (p *planning) addAddresses(variable string, options given) {
	for _, c := range p.consumers {
		if c.group != nil || c.job != variable || c.from == nil {
			continue
		}
		host := "q-s0"
		if c.wildcard {
			host = "*"
		}
		url := c.from.in.record(host, c.from.group.name, c.from.group.network)
		if c.original == "common_name" {
			if !options.has("common_name") {
				options["common_name"] = url
			}
			continue
		}
		options["alternative_names"] = append(slices.Clone(options.listOr("alternative_names")), url)
	}
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
