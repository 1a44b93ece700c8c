package deployment

import (
	"testing"

	. "github.com/onsi/gomega"
)

const (
	dbJob  = "/instance_groups/name=db/jobs/name=db"
	webJob = "/instance_groups/name=web/jobs/name=web"
	header = "Failed to resolve links from deployment 'shop'. See errors below:\n  - "
)

func TestLinks_ThatCannotBeResolvedAreRefused(t *testing.T) {
	second := set("/instance_groups/name=web/jobs/-", "{name: db, release: shop}")
	for name, row := range map[string]struct{ operations, says string }{
		"two providers": {second, header + `Failed to resolve link 'db' with type 'sql' from job 'web' in instance group 'web'. Multiple link providers found:
    - Link provider 'db' from job 'db' in instance group 'db' in deployment 'shop'
    - Link provider 'db' from job 'db' in instance group 'web' in deployment 'shop'`},
		"one of a name that is not there": {set(webJob+"/consumes?/db", "{from: other}"), header + `Failed to resolve link 'db' with alias 'other' and type 'sql' from job 'web' in instance group 'web'. Details below:
    - No link providers found`},
		"two of a name": {second + set(dbJob+"/provides?/db", "{as: main}") + set("/instance_groups/name=web/jobs/name=db/provides?/db", "{as: main}") + set(webJob+"/consumes?/db", "{from: main}"),
			header + `Failed to resolve link 'db' with alias 'main' and type 'sql' from job 'web' in instance group 'web'. Multiple link providers found:
    - Link provider 'db' with alias 'main' from job 'db' in instance group 'db' in deployment 'shop'
    - Link provider 'db' with alias 'main' from job 'db' in instance group 'web' in deployment 'shop'`},
		"an address that nobody provides": {set("/variables/-", "{name: cert, type: certificate, consumes: {alternative_name: {from: there}}, options: {is_ca: true}}"),
			header + `Failed to resolve link 'alternative_name' with alias 'there' and type 'address' from variable 'cert'. Details below:
    - No link providers found`},
		"a network that it is not in": {set(webJob+"/consumes?/db", "{from: db, network: public}"), header + "Provider link does not have network: 'public'"},
		"another deployment":          {set(webJob+"/consumes?/db", "{from: db, deployment: shop2}"), "Link 'db' in job 'web' from instance group 'web' consumes from deployment 'shop2', but the deployment does not exist."},
		"by hand and by name":         {set(webJob+"/consumes?/db", "{from: db, instances: []}"), "Cannot specify both 'instances' and 'from' keys for link 'db' in job 'web' in instance group 'web'."},
		"by hand without instances":   {set(webJob+"/consumes?/db", "{properties: {}}"), "Cannot specify 'properties' without 'instances' for link 'db' in job 'web' in instance group 'web'."},
		"a type":                      {set(webJob+"/consumes?/db", "{type: sql}"), "Cannot specify 'name' or 'type' properties in the manifest for link 'db' in job 'web' in instance group 'web'. Please provide these keys in the release only."},
		"a text":                      {set(webJob+"/consumes?/db", "db"), "Consumer 'db' in job 'web' in instance group 'web' specified in the manifest should only be a hash or string 'nil'"},
		"a text to provide":           {set(dbJob+"/provides?/db", "db"), "Provider 'db' in job 'db' in instance group 'db' specified in the manifest should only be a hash or string 'nil'"},
		"a provider that is there":    {set(dbJob+"/custom_provider_definitions?", "[{name: db, type: address}]"), "Custom provider 'db' in job 'db' in instance group 'db' is already defined in release 'shop'"},
		"a provider without a type":   {set(dbJob+"/custom_provider_definitions?", "[{name: a}]"), "Type for custom link provider definition in manifest in job 'db' in instance group 'db' must be a valid non-empty string."},
		"a provider twice":            {set(dbJob+"/custom_provider_definitions?", "[{name: a, type: x}, {name: a, type: y}]"), "Custom provider 'a' in job 'db' in instance group 'db' is defined multiple times in manifest."},
		"a property of no job":        {set(dbJob+"/custom_provider_definitions?", "[{name: a, type: x, properties: [size]}]"), "Link property size in template db is not defined in release spec"},
	} {
		_, err := newShop().Prepare(changed(t, row.operations), nil)
		NewWithT(t).Expect(err).To(MatchError(row.says), name)
	}
}

func TestLinks_ShowWhatTheProviderLists(t *testing.T) {
	names := "id-01.db.default.shop.bosh,id-02.db.default.shop.bosh"
	manual := "{instances: [{address: elsewhere}], properties: {port: ((port))}, address: all.elsewhere}"
	for name, row := range map[string]struct{ operations, shows string }{
		"by type":          {"[]", names + ":5432 shop"},
		"by name":          {set(dbJob+"/provides?/db", "{as: main}") + set(webJob+"/consumes?/db", "{from: main}"), names + ":5432 shop"},
		"by IP":            {set(webJob+"/consumes?/db", "{from: db, ip_addresses: true}"), "10.0.1.2,10.0.2.2:5432 shop"},
		"without names":    {set("/features/use_dns_addresses", "false"), "10.0.1.2,10.0.2.2:5432 shop"},
		"a property":       {set(dbJob+"/properties?/port", "((port))"), names + ":7 shop"},
		"by hand":          {set(webJob+"/consumes?/db", manual), "elsewhere:7 shop"},
		"not wanted":       {set(webJob+"/consumes?/db", "nil"), "no db shop"},
		"not provided":     {set(dbJob+"/provides?/db", "nil"), "no db shop"},
		"nil of a default": {set(dbJob+"/properties?", "{port: ~}"), "missing"},
	} {
		d := newShop()
		d.Config.Set("/director/shop/port", 7)
		if row.shows == "missing" {
			// The job has its default, and those who look at the link have nothing.
			d.Releases["shop"].Jobs["web"].Sources["web.conf.erb"] = "<%= link('db').p('port', 'missing') %>"
		}
		deployment := prepared(t, d, changed(t, row.operations), nil)
		NewWithT(t).Expect(deployment.Group("web").Instances[0].Job("web").Files["config/web.conf"]).To(Equal(row.shows), name)
	}
}

// Another deployment's link is found by its name if it is shared, and has the
// other's names, addresses and variables.
func TestLinks_OfAnotherDeployment(t *testing.T) {
	g := NewWithT(t)
	d := newShop()
	d.Config.Set("/director/shop/port", 7)
	without := set("/name", "second") + "- {type: remove, path: /instance_groups/name=db}\n" + set(webJob+"/consumes?/db", "{from: main, deployment: shop}")
	d.Others = []*Deployment{prepared(t, d, changed(t, set(dbJob+"/properties?/port", "((port))")+set(dbJob+"/provides?/db", "{as: main}")), nil)}
	_, err := d.Prepare(changed(t, without), nil)
	g.Expect(err).To(MatchError(ContainSubstring("Failed to resolve link 'db' with alias 'main' and type 'sql' from job 'web' in instance group 'web'. Details below:\n    - No link providers found")))

	d.Others = []*Deployment{prepared(t, d, changed(t, set(dbJob+"/properties?/port", "((port))")+set(dbJob+"/provides?/db", "{as: main, shared: true}")), d.Others[0])}
	job := prepared(t, d, changed(t, without), nil).Group("web").Instances[0].Job("web")
	g.Expect(job.Files["config/web.conf"]).To(Equal("id-01.db.default.shop.bosh,id-02.db.default.shop.bosh:7 shop"))
}

// What templates can ask, and what they are told.
func TestTemplates_SeeWhatTheDirectorShowsThem(t *testing.T) {
	d := newShop()
	job := d.Releases["shop"].Jobs["web"]
	for template, becomes := range map[string]string{
		"<%= [spec.name, spec.index, spec.id, spec.az, spec.address, spec.ip, spec.bootstrap, spec.deployment, spec.persistent_disk, spec.dns_domain_name].join(' ') %>": "web 0 id-03 z1 id-03.web.default.shop.bosh 10.0.1.3 true shop 0 bosh",
		"<%= spec.networks.default.ip %> <%= spec.networks.default.gateway %> <%= spec.networks.default.netmask %> <%= spec.networks.default.default %>":                 `10.0.1.3 10.0.1.1 255.255.255.0 ["dns", "gateway"]`,
		"<%= name %> <%= index %> <%= spec.release.name %> <%= spec.unheard_of.inspect %> <%= properties.name %>":                                                        "web 0 shop nil shop",
		"<%= link('db').address %> <%= link('db').address(azs: ['z2'], status: 'healthy') %>":                                                                            "q-s0.db.default.shop.bosh q-a2s3.db.default.shop.bosh",
		"<%= link('db').instances.map { |i| [i.name, i.index, i.id, i.az, i.address, i.bootstrap] } %>":                                                                  `[["db", 0, "id-01", "z1", "id-01.db.default.shop.bosh", true], ["db", 1, "id-02", "z2", "id-02.db.default.shop.bosh", false]]`,
		"<% link('db').if_p('tls.ca') { |ca| %>yes<% }.else_if_p('port') { |port| %><%= port %><% } %>":                                                                  "5432",
		"<% if_p('none', 'name') { |a, b| %>both<% }.else_if_p('name') { |b| %><%= b %><% }.else { %>none<% } %>":                                                        "shop",
		"<%= p(['none', 'name']) %> <%= p('none', 'other') %> <% if_link('none') { %>x<% }.else { %>no link<% } %>":                                                      "shop other no link",
		"<%- x = 1 -%>\n<%= x %>": "1",
	} {
		job.Sources["web.conf.erb"] = template
		d.NewID = newShop().NewID
		deployment := prepared(t, d, changed(t, "[]"), nil)
		NewWithT(t).Expect(deployment.Group("web").Instances[0].Job("web").Files["config/web.conf"]).To(Equal(becomes), template)
	}
	for template, says := range map[string]string{
		"\n\n<%= link('none') %>":           "Error filling in template 'web.conf.erb' (line 3: Can't find link 'none')",
		"<%= link('db').p('tls.key') %>":    `Error filling in template 'web.conf.erb' (line 1: Can't find property '["tls.key"]')`,
		"<%= p(['none', 'other']) %>":       `Error filling in template 'web.conf.erb' (line 1: Can't find property '["none", "other"]')`,
		"a\n<%= nothing.there %>":           "Error filling in template 'web.conf.erb' (line 2: undefined local variable or method `nothing'",
		"<% if true %>":                     "Error filling in template 'web.conf.erb' (line (unknown): ",
		"<%= link('db').instances[0].ip %>": "undefined method `ip'",
	} {
		job.Sources["web.conf.erb"] = template
		_, err := d.Prepare(changed(t, "[]"), nil)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(says)), template)
	}
}
