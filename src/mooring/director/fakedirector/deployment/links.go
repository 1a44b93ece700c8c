package deployment

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// provider is a link that a job of a deployment provides.
type provider struct {
	in         *planning
	group      *groupPlan
	job        string
	original   string // as the release has it
	name       string // as the manifest calls it
	kind       string
	consumable bool
	shared     bool           // with other deployments
	properties map[string]any // variables are not replaced yet
}

// consumer is a job, or a variable, that wants a link.
type consumer struct {
	group    *groupPlan // nil for a variable
	job      string     // or the variable
	original string
	name     string
	kind     string
	optional bool
	blocked  bool // consumes: {x: nil}
	explicit bool
	wildcard bool
	manual   given
	other    *Deployment // that the link is to be of; nil for this one
	network  string
	useIPs   *bool
	// link is what it gets, as templates see it; nil for nothing.
	link map[string]any
	from *provider
}

// provide reads what a job provides, with the properties that each link shows:
// those of the manifest as they are, or defaults.
func (p *planning) provide(group *groupPlan, release string, job *Job, spec given, properties map[string]any) {
	said := given(copied(map[string]any(spec.tree("provides"))).(map[string]any))
	var custom []Provider
	for _, element := range spec.listOr("custom_provider_definitions") {
		custom = append(custom, customProvider(group, release, job, asGiven(element)))
	}
	for i, c := range custom {
		if slices.ContainsFunc(custom[:i], func(other Provider) bool { return other.Name == c.Name }) {
			refuse("Custom provider '%s' in job '%s' in instance group '%s' is defined multiple times in manifest.", c.Name, job.Name, group.name)
		}
	}
	var errs []string
	for _, definition := range append(custom, job.Provides...) {
		link := &provider{in: p, group: group, job: job.Name, original: definition.Name, name: definition.Name, kind: definition.Type, consumable: true}
		if source, there := said[definition.Name]; there {
			if wrong := link.said(source); wrong != "" {
				errs = append(errs, wrong)
				continue
			}
		}
		shown, wrong := shared(job, definition, properties)
		if wrong != nil {
			errs = append(errs, wrong...)
			continue
		}
		link.properties = shown
		p.providers = append(p.providers, link)
	}
	if errs != nil {
		refuse("%s", strings.Join(errs, "\n"))
	}
}

// customProvider reads a provider that the manifest defines.
func customProvider(group *groupPlan, release string, job *Job, g given) Provider {
	var errs []string
	for _, field := range []string{"name", "type"} {
		if value, isText := g[field].(string); !isText || value == "" {
			errs = append(errs, fmt.Sprintf("%s for custom link provider definition in manifest in job '%s' in instance group '%s' must be a valid non-empty string.",
				strings.ToUpper(field[:1])+field[1:], job.Name, group.name))
		}
	}
	name, _ := g["name"].(string)
	if slices.ContainsFunc(job.Provides, func(own Provider) bool { return own.Name == name }) {
		errs = append(errs, fmt.Sprintf("Custom provider '%s' in job '%s' in instance group '%s' is already defined in release '%s'", name, job.Name, group.name, release))
	}
	if errs != nil {
		refuse("%s", strings.Join(errs, "\n"))
	}
	definition := Provider{Name: name, Type: g.string("type")}
	for _, property := range g.listOr("properties") {
		definition.Properties = append(definition.Properties, text(property))
	}
	return definition
}

// said is what the manifest has to say about a provider.
func (l *provider) said(source any) (wrong string) {
	if source == "nil" {
		l.consumable = false
		return ""
	}
	tree, isTree := source.(map[string]any)
	if !isTree {
		return fmt.Sprintf("Provider '%s' in job '%s' in instance group '%s' specified in the manifest should only be a hash or string 'nil'", l.original, l.job, l.group.name)
	}
	if given(tree).has("name") || given(tree).has("type") {
		return fmt.Sprintf("Cannot specify 'name' or 'type' properties in the manifest for link '%s' in job '%s' in instance group '%s'. Please provide these keys in the release only.", l.original, l.job, l.group.name)
	}
	l.name = given(tree).stringOr("as", l.name)
	l.shared = tree["shared"] == true
	return ""
}

// shared picks the properties that a link shows.
func shared(job *Job, definition Provider, properties map[string]any) (shown map[string]any, wrong []string) {
	shown = map[string]any{}
	for _, name := range definition.Properties {
		value, found := held(properties, name)
		if !found {
			property, declared := job.Properties[name]
			if !declared {
				wrong = append(wrong, fmt.Sprintf("Link property %s in template %s is not defined in release spec", name, job.Name))
				continue
			}
			value = property.Default
		}
		put(shown, name, copied(value))
	}
	return shown, wrong
}

// held looks a link's property up, which the Director does without a check: what
// is not a hash has no key?, and ruby says so.
func held(properties map[string]any, name string) (value any, found bool) {
	var at any = properties
	for key := range strings.SplitSeq(name, ".") {
		if at == nil || at == false {
			return nil, false
		}
		tree, isTree := at.(map[string]any)
		if !isTree {
			refuse("%s", noKey(at))
		}
		if at, found = tree[key]; !found {
			return nil, false
		}
	}
	return at, true
}

// consume reads what a job consumes.
func (p *planning) consume(group *groupPlan, job *Job, spec given) {
	said := spec.tree("consumes")
	var errs []string
	for _, definition := range job.Consumes {
		c := &consumer{group: group, job: job.Name, original: definition.Name, name: definition.Name, kind: definition.Type, optional: definition.Optional}
		if source, there := said[definition.Name]; there {
			if wrong := c.said(p.director, p.name, source); wrong != nil {
				errs = append(errs, wrong...)
				continue
			}
		}
		p.consumers = append(p.consumers, c)
	}
	if errs != nil {
		refuse("%s", strings.Join(errs, "\n"))
	}
}

// manualKeys make a link one that is given by hand.
var manualKeys = []string{"instances", "properties", "address"}

// said is what the manifest has to say about a consumer.
func (c *consumer) said(director *Director, own string, source any) (wrong []string) {
	where := fmt.Sprintf("'%s' in job '%s' in instance group '%s'", c.original, c.job, c.group.name)
	c.explicit = true
	if source == "nil" {
		c.blocked = true
		return nil
	}
	tree, isTree := source.(map[string]any)
	if !isTree {
		return []string{"Consumer " + where + " specified in the manifest should only be a hash or string 'nil'"}
	}
	g := given(tree)
	for _, pair := range [][2]string{{"instances", "from"}, {"properties", "from"}} {
		if g.has(pair[0]) && g.has(pair[1]) {
			wrong = append(wrong, fmt.Sprintf("Cannot specify both '%s' and '%s' keys for link %s.", pair[0], pair[1], where))
		}
	}
	if g.has("properties") && !g.has("instances") {
		wrong = append(wrong, "Cannot specify 'properties' without 'instances' for link "+where+".")
	}
	if useIPs, isBool := g["ip_addresses"].(bool); isBool {
		c.useIPs = &useIPs
	} else if g.has("ip_addresses") {
		wrong = append(wrong, "Cannot specify non boolean values for 'ip_addresses' field for link "+where+".")
	}
	if g.has("name") || g.has("type") {
		wrong = append(wrong, "Cannot specify 'name' or 'type' properties in the manifest for link "+where+". Please provide these keys in the release only.")
	}
	if slices.ContainsFunc(manualKeys, g.has) {
		c.manual = g
		return wrong
	}
	c.name = g.stringOr("from", c.name)
	c.network = g.stringOr("network", "")
	if named := g.stringOr("deployment", own); named != own {
		c.other = director.other(named)
	}
	if g.has("deployment") && c.other == nil && g.string("deployment") != own {
		wrong = append(wrong, fmt.Sprintf("Link '%s' in job '%s' from instance group '%s' consumes from deployment '%v', but the deployment does not exist.", c.name, c.job, c.group.name, g["deployment"]))
	}
	return wrong
}

// consumeVariable reads what a variable consumes.
func (p *planning) consumeVariable(v given) {
	name, kind := v.string("name"), v.string("type")
	for _, original := range sorted(v.tree("consumes")) {
		if kind != "certificate" {
			refuse("Variable '%s' can not define 'consumes' key for type '%s'", name, kind)
		}
		if original != "alternative_name" && original != "common_name" {
			refuse("Consumer name '%s' is not a valid consumer for variable '%s'. Acceptable consumer types are: alternative_name, common_name", original, name)
		}
		said := asGiven(v.tree("consumes")[original])
		c := &consumer{job: name, original: original, name: said.stringOr("from", original), kind: said.stringOr("link_type", "address"), explicit: true}
		c.wildcard = said.tree("properties")["wildcard"] == true
		p.consumers = append(p.consumers, c)
	}
}

// match finds every consumer its provider.
func (p *planning) match() {
	var errs collected
	for _, c := range p.consumers {
		errs.add(caught(func() { p.matchOne(c) }))
	}
	if len(errs) > 0 {
		refuse("Failed to resolve links from deployment '%s'. See errors below:\n  - %s", p.name, strings.Join(errs, "\n  - "))
	}
}

func (p *planning) matchOne(c *consumer) {
	if c.manual != nil {
		return
	}
	var found []*provider
	all := p.providers
	if c.other != nil {
		all = c.other.providers
	}
	for _, offered := range all {
		if !c.blocked && offered.kind == c.kind && offered.consumable && (!c.explicit || offered.name == c.name) && (c.other == nil || offered.shared) {
			found = append(found, offered)
		}
	}
	if len(found) == 0 && c.optional && (!c.explicit || c.blocked) {
		return
	}
	if len(found) != 1 {
		refuse("%s", p.unmatched(c, found))
	}
	c.from = found[0]
}

// unmatched says which providers there are for a link, of which there must be one.
func (p *planning) unmatched(c *consumer, found []*provider) string {
	var said strings.Builder
	fmt.Fprintf(&said, "Failed to resolve link '%s' with ", c.original)
	if c.original != c.name {
		fmt.Fprintf(&said, "alias '%s' and ", c.name)
	}
	fmt.Fprintf(&said, "type '%s' from ", c.kind)
	if c.group == nil {
		fmt.Fprintf(&said, "variable '%s'.", c.job)
	} else {
		fmt.Fprintf(&said, "job '%s' in instance group '%s'.", c.job, c.group.name)
	}
	if len(found) > 1 {
		said.WriteString(" Multiple link providers found:")
	} else {
		said.WriteString(" Details below:")
	}
	if len(found) == 0 {
		said.WriteString("\n    - No link providers found")
	}
	for _, l := range found {
		alias := ""
		if l.name != l.original {
			alias = fmt.Sprintf("with alias '%s' ", l.name)
		}
		fmt.Fprintf(&said, "\n    - Link provider '%s' %sfrom job '%s' in instance group '%s' in deployment '%s'", l.original, alias, l.job, l.group.name, l.in.name)
	}
	return said.String()
}

// bindLinks makes of each match what templates see, once instances are placed.
func (p *planning) bindLinks() {
	var errs collected
	for _, c := range p.consumers {
		switch {
		case c.manual != nil:
			c.link = map[string]any{"deployment_name": p.name}
			for _, key := range manualKeys {
				c.link[key] = c.manual[key]
			}
		case c.from != nil:
			errs.add(caught(func() { c.link = c.from.content(c) }))
		}
	}
	if len(errs) > 0 {
		refuse("Failed to resolve links from deployment '%s'. See errors below:\n  - %s", p.name, strings.Join(errs, "\n  - "))
	}
}

// content is what a link says of the group that provides it.
func (l *provider) content(c *consumer) map[string]any {
	network := l.group.network
	if c.network != "" {
		network = c.network
	}
	names := l.in.useNames
	if c.useIPs != nil {
		names = !*c.useIPs
	}
	instances := []any{}
	for _, i := range l.group.placed {
		ip, there := i.IPs[network]
		if !there {
			refuse("Provider link does not have network: '%s'", network)
		}
		instances = append(instances, map[string]any{
			"name": i.Group, "id": i.ID, "index": i.Index, "bootstrap": i.Bootstrap, "az": orNil(i.AZ), "address": l.in.address(i, network, ip, names),
		})
	}
	return map[string]any{
		"deployment_name": l.in.name, "domain": l.in.director.domain(), "default_network": network, "instance_group": l.group.name,
		"properties": copied(l.properties), "instances": instances,
	}
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// linksOf are the links of a job, by name, with variables replaced.
func (p *planning) linksOf(group *groupPlan, job string) map[string]any {
	links := map[string]any{}
	var errs []string
	for _, c := range p.consumers {
		if c.group != group || c.job != job || c.link == nil {
			continue
		}
		link, of := maps.Clone(c.link), p
		if c.from != nil {
			of = c.from.in
		}
		if properties := link["properties"]; properties != nil {
			if err := caught(func() { link["properties"] = of.scope().interpolatedTree(properties) }); err != nil {
				errs = append(errs, fmt.Sprintf("- Unable to interpolate link '%s' properties; provided by '%s' deployment. Errors are:\n%s", c.original, of.name, indented(strings.TrimSpace(err.Error()))))
			}
		}
		links[c.original] = link
	}
	if errs != nil {
		refuse("%s", strings.Join(errs, "\n"))
	}
	return links
}
