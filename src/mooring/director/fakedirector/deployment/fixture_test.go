package deployment

import (
	"errors"
	"fmt"
	"testing"

	"github.com/goccy/go-yaml"
)

// shop is a release with a database that others find by a link.
func shop() *Release {
	return &Release{Name: "shop", Version: "1", Jobs: map[string]*Job{
		"db": {
			Name: "db", Monit: "check process db\n", Packages: []string{"pg"},
			Templates: map[string]string{"db.conf.erb": "config/db.conf"},
			Sources:   map[string]string{"db.conf.erb": "port=<%= p('port') %>\nkey=<%= p('tls.key', '') %>\n"},
			Provides:  []Provider{{Name: "db", Type: "sql", Properties: []string{"port", "tls.ca"}}},
			Properties: map[string]Property{
				"port": {Default: 5432}, "tls.ca": {}, "tls.key": {},
			},
		},
		"web": {
			Name:      "web",
			Templates: map[string]string{"web.conf.erb": "config/web.conf", "run": "bin/web"},
			Sources: map[string]string{
				"web.conf.erb": "<% if_link('db') do |db| %><%= db.instances.map(&:address).join(',') %>:<%= db.p('port') %><% end.else do %>no db<% end %> <%= p('name') %>",
				"run":          "#!/bin/sh\n",
			},
			Consumes:   []Consumer{{Name: "db", Type: "sql", Optional: true}},
			Properties: map[string]Property{"name": {Default: "shop"}},
		},
		"check": {Name: "check", Templates: map[string]string{"run": "bin/run"}, Sources: map[string]string{"run": "<%= p('what') %>"}, Properties: map[string]Property{"what": {}}},
	}}
}

// newShop is a Director with the release and IDs that count.
func newShop() *Director {
	ids := 0
	return &Director{
		Releases: map[string]*Release{"shop": shop()}, Cloud: DefaultCloud(), Config: NewConfigServer(),
		NewID: func() string {
			ids++
			return fmt.Sprintf("id-%02d", ids)
		},
	}
}

// shopManifest deploys the release.
const shopManifest = `
name: shop
releases: [{name: shop, version: latest}]
stemcells: [{alias: default, os: ubuntu-jammy, version: latest}]
update: {canaries: 1, max_in_flight: 2, canary_watch_time: 1000-2000, update_watch_time: 3000}
features: {use_dns_addresses: true}
instance_groups:
- name: db
  azs: [z1, z2]
  instances: 2
  vm_type: default
  stemcell: default
  persistent_disk_type: default
  networks: [{name: default}]
  jobs:
  - {name: db, release: shop}
- name: web
  azs: [z1, z2, z3]
  instances: 3
  vm_type: default
  stemcell: default
  networks: [{name: default}]
  update: {max_in_flight: 50%, serial: false}
  jobs:
  - {name: web, release: shop}
variables: []
`

// changed is the manifest, changed by operations in YAML.
func changed(t *testing.T, operations string) any {
	t.Helper()
	var ops Ops
	if err := yaml.UnmarshalWithOptions([]byte(operations), &ops, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	manifest, err := Interpolate([]byte(shopManifest), []Ops{ops}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return manifest
}

// set is an operation that replaces.
func set(path, value string) string {
	return fmt.Sprintf("- {type: replace, path: %q, value: %s}\n", path, value)
}

// prepared is the deployment that a manifest becomes.
func prepared(t *testing.T, d *Director, manifest any, previous *Deployment) *Deployment {
	t.Helper()
	deployment, err := d.Prepare(manifest, previous)
	if errors.Is(err, ErrNoRuby) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return deployment
}
