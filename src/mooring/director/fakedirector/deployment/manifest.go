package deployment

import (
	"fmt"
	"regexp"
	"strings"
)

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
