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
package deployment
