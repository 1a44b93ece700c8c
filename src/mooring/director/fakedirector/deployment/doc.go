// Package deployment does with a manifest what a BOSH Director does before it
// touches a VM: it takes the manifest, the ops files, and the jobs of releases as
// they are, and makes of them which instance is where, with which files. Where a
// real Director refuses, it refuses in the same words.
//
// What tends to go wrong happens here as it does there: properties that a job
// declares are copied out of the manifest before variables are replaced, and
// those that it does not declare are dropped; links are resolved by type and
// show what their provider's spec lists; certificates are generated for the
// addresses that they consume; templates are ERB, rendered by ruby.
//
// Not known here, and refused: addons and runtime configs, properties outside of
// jobs, VM extensions, static IPs, several disks, migrated_from, networks that
// are not manual, short DNS names. Keys of a hash come sorted everywhere, which
// the Director does to properties down to the first list.
//
//	director.go     what was uploaded to a Director; Prepare
//	manifest.go     reading a manifest: stemcells, releases, features, variables
//	groups.go       reading an instance group: its jobs, VM, networks and AZs
//	given.go        a part of a manifest, asked for what it must have
//	tree.go         hashes and lists as Ruby writes and compares them
//	place.go        which instances are where
//	addresses.go    their IPs, and the names that BOSH DNS knows
//	links.go        who provides a link to whom, and what it shows
//	variables.go    having the config server generate what is missing
//	config.go       the config server
//	certificate.go  certificates that it generates
//	render.go       templates, by render.rb
//	deployment.go   what comes of it all, and what has changed in it
//	update.go       how a group is updated: canaries, max_in_flight, watch times
//	release.go      a release's jobs, read from its directory
//	ops.go          ops files, as bosh applies them
//	interpolate.go  what bosh sends for a manifest, ops files and variables
//	cloud.go        the cloud config
//	refusal.go      errors in the Director's words
package deployment
