// Package deploys deploys the release, as its manifest and ops files are, on a
// fake Director that refuses what a real one refuses, with the rendered jobs as
// processes on VMs in namespaces. It needs root.
package deploys
