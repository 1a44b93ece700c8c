package deployment

import (
	"maps"
	"regexp"
	"slices"
)

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
