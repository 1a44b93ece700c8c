package deployment

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// What the Director says no to, in its words. The first two are what a manifest
// was refused with that gave a variable for a group of properties.
func TestDirector_RefusesInItsWords(t *testing.T) {
	db, web := "/instance_groups/name=db", "/instance_groups/name=web"
	job := db + "/jobs/name=db"
	for name, row := range map[string]struct{ operations, says string }{
		"a variable for properties that a link shows": {set(job+"/properties?/tls", "((db))"), "undefined method `key?' for \"((db))\":String"},
		"a variable for properties that are declared": {set(web+"/jobs/name=web/properties?", "{name: x}") + set(db+"/jobs/-", "{name: check, release: shop, properties: {what: x}}") +
			set(job+"/provides?", "{db: nil}") + set(job+"/properties?/tls?", "[x]"), "undefined method `key?' for [\"x\"]:Array"},
		"properties that are none":    {set(job+"/properties?", "((all))"), "Property 'properties' value (\"((all))\") did not match the required type 'Hash'"},
		"an unknown release":          {set("/releases/0/name", "sop"), "Release 'sop' doesn't exist"},
		"an unknown version":          {set("/releases/0/version", "7"), "Release version 'shop/7' doesn't exist"},
		"a release twice":             {set("/releases/-", "{name: shop, version: latest}"), "Duplicate release name 'shop'"},
		"no releases":                 {"- {type: remove, path: /releases}\n", "Required property 'releases' was not specified in object ("},
		"a job's unknown release":     {set(job+"/release", "bpm"), "Job 'db' (instance group 'db') references an unknown release 'bpm'"},
		"an unknown job":              {set(job+"/name", "dbs"), "Job 'dbs' not found in release 'shop'"},
		"a job twice":                 {set(db+"/jobs/-", "{name: db, release: shop, provides: {db: nil}}"), "Colocated job 'db' is already added to the instance group 'db'"},
		"no jobs":                     {"- {type: remove, path: " + db + "/jobs}\n", "Instance group 'db' does not specify jobs key"},
		"an unknown AZ":               {set(db+"/azs", "[z9]"), "Instance group 'db' must specify availability zone that matches availability zones of network 'default'"},
		"an AZ that is a number":      {set(db+"/azs", "[1]"), "Instance group 'db' has invalid availability zone '1', string expected"},
		"no AZs":                      {set(db+"/azs", "[]"), "Instance group 'db' has empty availability zones"},
		"an unknown VM type":          {set(db+"/vm_type", "huge"), "Instance group 'db' references an unknown vm type 'huge'"},
		"no VM type":                  {"- {type: remove, path: " + db + "/vm_type}\n", "Instance group 'db' is missing either 'vm_type' or 'vm_resources' section."},
		"an unknown disk type":        {set(db+"/persistent_disk_type", "huge"), "Instance group 'db' references an unknown disk type 'huge'"},
		"two disks":                   {set(db+"/persistent_disk?", "1"), "Instance group 'db' specifies more than one of the following keys: 'persistent_disk', 'persistent_disk_type', and 'persistent_disks'. Choose one."},
		"an unknown network":          {set(db+"/networks/0/name", "public"), "Instance group 'db' references an unknown network 'public'"},
		"no network":                  {set(db+"/networks", "[]"), "Instance group 'db' must specify at least one network"},
		"an unknown stemcell":         {set(db+"/stemcell", "other"), "Instance group 'db' references an unknown stemcell 'other'"},
		"a stemcell that is not here": {set("/stemcells/0/os", "ubuntu-trusty"), "Stemcell with Operating System 'ubuntu-trusty' doesn't exist"},
		"a version of a stemcell":     {set("/stemcells/0/version", "1.10"), "Stemcell version '1.1' for OS 'ubuntu-jammy' doesn't exist"},
		"instances in quotes":         {set(db+"/instances", "'3'"), "Property 'instances' value (\"3\") did not match the required type 'Integer'"},
		"instances nobody knows":      {set(db+"/instances", "((n))"), "- Failed to find variable '/director/shop/n' from config server: HTTP Code '404', Error: 'The request could not be completed because the credential does not exist or you do not have sufficient authorization.'"},
		"a lifecycle":                 {set(db+"/lifecycle?", "task"), "Invalid lifecycle 'task' for 'db', valid lifecycle profiles are: service, errand"},
		"a watch time":                {set("/update/canary_watch_time", "soon"), "Watch time should be an integer or a range of two integers"},
		"a watch time backwards":      {set("/update/canary_watch_time", "2-1"), "Min watch time cannot be greater than max watch time"},
		"no canaries":                 {"- {type: remove, path: /update/canaries}\n", "Required property 'canaries' was not specified in object ("},
		"no update":                   {"- {type: remove, path: /update}\n", "Required property 'update' was not specified in object ("},
		"a strategy":                  {set(db+"/update?/initial_deploy_az_update_strategy", "fast"), "Invalid initial_deploy_az_update_strategy 'fast', valid strategies are: 'parallel, serial'"},
		"a feature":                   {set("/features/use_dns_addresses", "'yes'"), "Key 'use_dns_addresses' in 'features' expected to be a boolean, but received 'String'"},
		"a section of a cloud config": {set("/azs?", "[]"), "Deployment manifest contains 'azs' section, but this can only be set in a cloud-config."},
		"a group's name twice":        {set(web+"/name", "DB"), "Invalid instance group name 'DB', canonical name already taken"},
		"a variable twice":            {set("/variables/-", "{name: a, type: password}") + set("/variables/-", "{name: a, type: password}"), "Some of the variables have duplicate names, eg: 'a'"},
		"a variable of no type":       {set("/variables/-", "{name: a}"), "Type for variable 'a' is missing; 'type' must be specified"},
		"a variable with an address":  {set("/variables/-", "{name: a, type: password, consumes: {alternative_name: {from: db}}}"), "Variable 'a' can not define 'consumes' key for type 'password'"},
		"a variable of no CA": {set("/variables/-", "{name: a, type: certificate, options: {ca: none}}"),
			"Config Server failed to generate value for '/director/shop/a' with type 'certificate'. HTTP Code '404', Error: 'The request could not be completed because the credential does not exist or you do not have sufficient authorization.'"},
		"what the fake does not know": {set(db+"/vm_extensions?", "[lb]"), "this fake Director does not know vm_extensions in instance groups; teach it, or leave it out"},
	} {
		_, err := newShop().Prepare(changed(t, row.operations), nil)
		g := NewWithT(t)
		g.Expect(err).To(HaveOccurred(), name)
		if strings.HasSuffix(row.says, "(") {
			g.Expect(err).To(MatchError(HavePrefix(row.says)), name)
		} else {
			g.Expect(err).To(MatchError(row.says), name)
		}
	}
}

// Properties are copied before variables are replaced, so that one that stands
// for several is none of them.
func TestDirector_CopiesPropertiesBeforeItReplacesVariables(t *testing.T) {
	g := NewWithT(t)
	d := newShop()
	d.Config.Set("/director/shop/db", map[string]any{"ca": "C", "key": "K"})
	d.Releases["shop"].Jobs["db"].Provides = nil
	_, err := d.Prepare(changed(t, set("/instance_groups/name=db/jobs/name=db/properties?/tls", "((db))")), nil)
	g.Expect(err).To(MatchError("Property 'tls.ca' expects a hash, but received 'String'"))

	leaves := set("/instance_groups/name=db/jobs/name=db/properties?/tls", "{ca: ((db.ca)), key: k-((db.key)), dropped: ((nobody))}")
	job := prepared(t, d, changed(t, leaves), nil).Groups[0].Instances[0].Job("db")
	g.Expect(job.Files["config/db.conf"]).To(Equal("port=5432\nkey=k-K\n"))
	g.Expect(job.Properties).To(Equal(map[string]any{"port": 5432, "tls": map[string]any{"ca": "C", "key": "k-K"}}), "what is not declared is dropped, variables and all")
}

func TestDirector_SaysEverythingThatCannotBeRendered(t *testing.T) {
	g := NewWithT(t)
	d := newShop()
	d.Releases["shop"].Jobs["web"].Sources["web.conf.erb"] = "\n<%= p('nothing') %>"
	d.Releases["shop"].Jobs["web"].Sources["run"] = "<% raise 'no' %>"
	d.Releases["shop"].Jobs["check"].Monit = "<%= p('monit') %>"
	prepared(t, newShop(), changed(t, "[]"), nil) // or ruby is missing
	manifest := changed(t, set("/instance_groups/name=web/jobs/-", "{name: check, release: shop}")+
		set("/instance_groups/name=db/jobs/name=db/properties?", "{port: ((p)), tls: {key: ((k.key))}}"))
	_, err := d.Prepare(manifest, nil)
	missing := "from config server: HTTP Code '404', Error: 'The request could not be completed because the credential does not exist or you do not have sufficient authorization.'"
	g.Expect(err).To(MatchError(`Unable to render instance groups for deployment. Errors are:
  - Unable to render jobs for instance group 'db'. Errors are:
    - Unable to render templates for job 'db'. Errors are:
      - Failed to find variable '/director/shop/p' ` + missing + `
      - Failed to find variable '/director/shop/k' ` + missing + `
  - Unable to render jobs for instance group 'web'. Errors are:
    - Unable to interpolate link 'db' properties; provided by 'shop' deployment. Errors are:
      - Failed to find variable '/director/shop/p' ` + missing))

	d.Config.Set("/director/shop/p", 1)
	d.Config.Set("/director/shop/k", map[string]any{})
	_, err = d.Prepare(manifest, nil)
	g.Expect(err).To(MatchError(`Unable to render instance groups for deployment. Errors are:
  - Unable to render jobs for instance group 'db'. Errors are:
    - Unable to render templates for job 'db'. Errors are:
      - Failed to fetch variable '/director/shop/k' from config server: Expected parent '/director/shop/k' hash to have key 'key'
  - Unable to render jobs for instance group 'web'. Errors are:
    - Unable to render templates for job 'web'. Errors are:
      - Error filling in template 'run' (line 1: no)
      - Error filling in template 'web.conf.erb' (line 2: Can't find property '["nothing"]')
    Error filling in template 'monit' (line 1: Can't find property '["monit"]')`))
}

// A deploy does not render an errand; run-errand does. Its variables are looked
// up by both.
func TestErrand_IsRenderedWhenItIsRun(t *testing.T) {
	g := NewWithT(t)
	d := newShop()
	errand := "{name: checks, lifecycle: errand, azs: [z1], instances: 1, vm_type: default, stemcell: default, networks: [{name: default}], jobs: [{name: check, release: shop, properties: {what: %s}}]}"
	deployment := prepared(t, d, changed(t, set("/instance_groups/-", strings.Replace(errand, "%s", "~", 1))), nil)
	g.Expect(deployment.Group("checks").Err).To(MatchError(ContainSubstring("Error filling in template 'run' (line 1: Can't find property '[\"what\"]')")))
	g.Expect(deployment.Group("checks").Lifecycle).To(Equal("errand"))

	deployment = prepared(t, d, changed(t, set("/instance_groups/-", strings.Replace(errand, "%s", "all", 1))), nil)
	g.Expect(deployment.Group("checks").Err).NotTo(HaveOccurred())
	job := deployment.Group("checks").Instances[0].Job("check")
	g.Expect(job.Files).To(Equal(map[string]string{"bin/run": "all"}))
	g.Expect(job.Errand).To(BeTrue())
	g.Expect(deployment.Group("db").Instances[0].Job("db").Errand).To(BeFalse())

	_, err := d.Prepare(changed(t, set("/instance_groups/-", strings.Replace(errand, "%s", "((what))", 1))), nil)
	g.Expect(err).To(MatchError(ContainSubstring("Failed to find variable '/director/shop/what'")))
}
