package deployment

import (
	"maps"
	"reflect"
	"slices"
)

// Deployment is what a Director has prepared, ready to be carried out.
type Deployment struct {
	Name   string
	Groups []*Group // in the order of the manifest
	// Removed are instances of groups that the manifest has no more.
	Removed []*Instance
	// First is whether nothing was deployed before.
	First bool
	// Records are the IPs behind each name that BOSH DNS knows:
	// ID.GROUP.NETWORK.DEPLOYMENT.bosh, and q-s0.GROUP.NETWORK.DEPLOYMENT.bosh (with
	// a1s0 for the first AZ alone) for a whole group.
	Records map[string][]string
	// Variables are the names of those that the manifest defines.
	Variables []string

	providers []*provider
}

// Group is an instance group.
type Group struct {
	Name      string
	Lifecycle string // service or errand
	Update    Update
	// Instances are in the order in which they are updated: AZ by AZ, that of the
	// bootstrap instance first; in each by UUID, the bootstrap instance first.
	Instances []*Instance
	// Obsolete are those that go, before others are updated.
	Obsolete []*Instance
	// Err is why the templates of an errand cannot be rendered. A deploy does not
	// render them, unless an instance is kept alive: run-errand says it.
	Err error
}

// Instance is an instance of a group, as it shall be.
type Instance struct {
	ID, Group, AZ   string
	Index           int
	Bootstrap       bool
	IP, Address     string // of the network that is the default
	IPs             map[string]string
	PersistentDisk  int    // MB
	Stemcell        string // ubuntu-jammy/1.915
	VMType          string
	CloudProperties map[string]any
	Jobs            []*RenderedJob
}

// RenderedJob is a job as it is put on a VM, below /var/vcap/jobs/NAME.
type RenderedJob struct {
	Name, Release string
	// Version changes with what is in the job.
	Version string
	Monit   string
	Files   map[string]string // where it goes -> text
	// Properties are those that templates see: declared ones, variables replaced.
	Properties map[string]any
	Packages   []string
	// PackageVersions change with each version of the release.
	PackageVersions map[string]string
	// Errand is whether it has a bin/run.
	Errand bool
}

// Group returns the group of a name, nil for none.
func (d *Deployment) Group(name string) *Group {
	if d == nil {
		return nil
	}
	for _, group := range d.Groups {
		if group.Name == name {
			return group
		}
	}
	return nil
}

// Instance returns the instance with an ID, nil for none.
func (d *Deployment) Instance(id string) *Instance {
	for _, instance := range d.existing() {
		if instance.ID == id {
			return instance
		}
	}
	return nil
}

// Forget drops instances that were deleted. Until then a deployment that is
// prepared on top of this one keeps their indexes and IPs, and deletes them.
func (d *Deployment) Forget(deleted ...*Instance) {
	gone := func(i *Instance) bool {
		return slices.ContainsFunc(deleted, func(d *Instance) bool { return d.ID == i.ID })
	}
	d.Removed = slices.DeleteFunc(d.Removed, gone)
	for _, group := range d.Groups {
		group.Instances = slices.DeleteFunc(group.Instances, gone)
		group.Obsolete = slices.DeleteFunc(group.Obsolete, gone)
	}
}

// Carried forgets all that is obsolete: the deployment was carried out.
func (d *Deployment) Carried() {
	for _, group := range d.Groups {
		group.Obsolete = nil
	}
	d.Removed = nil
}

// existing are all instances that are there, going or not.
func (d *Deployment) existing() []*Instance {
	if d == nil {
		return nil
	}
	all := slices.Clone(d.Removed)
	for _, group := range d.Groups {
		all = append(append(all, group.Instances...), group.Obsolete...)
	}
	return all
}

// Job returns a job of the instance, nil for none.
func (i *Instance) Job(name string) *RenderedJob {
	for _, job := range i.Jobs {
		if job.Name == name {
			return job
		}
	}
	return nil
}

// recreates are the changes for which a VM is made anew.
var recreates = []string{"cloud_properties", "stemcell", "network"}

// Recreates reports whether the VM has to be made anew for changes.
func Recreates(changes []string) bool {
	return slices.ContainsFunc(changes, func(change string) bool { return slices.Contains(recreates, change) })
}

// Changes says in what the instance differs from what it was, in the Director's
// names and order; nil means that there is nothing to update. Of a new instance
// it says what the Director says, which is more than nothing.
func (i *Instance) Changes(previous *Instance) []string {
	if previous == nil {
		changes := []string{"cloud_properties", "packages"}
		if i.PersistentDisk > 0 {
			changes = append(changes, "persistent_disk")
		}
		return append(changes, "configuration", "job", "state", "dns")
	}
	var changes []string
	for _, c := range []struct {
		name    string
		differs bool
	}{
		{"cloud_properties", !maps.EqualFunc(i.CloudProperties, previous.CloudProperties, func(a, b any) bool { return reflect.DeepEqual(a, b) })},
		{"stemcell", i.Stemcell != previous.Stemcell},
		{"network", !maps.Equal(i.IPs, previous.IPs)},
		{"packages", !maps.Equal(i.packages(), previous.packages())},
		{"persistent_disk", i.PersistentDisk != previous.PersistentDisk},
		{"configuration", !reflect.DeepEqual(i.configuration(), previous.configuration())},
		{"job", !maps.Equal(i.versions(), previous.versions())},
		{"dns", !maps.Equal(i.IPs, previous.IPs)},
	} {
		if c.differs {
			changes = append(changes, c.name)
		}
	}
	return changes
}

func (i *Instance) packages() map[string]string {
	all := map[string]string{}
	for _, job := range i.Jobs {
		maps.Copy(all, job.PackageVersions)
	}
	return all
}

func (i *Instance) versions() map[string]string {
	all := map[string]string{}
	for _, job := range i.Jobs {
		all[job.Name] = job.Version
	}
	return all
}

func (i *Instance) configuration() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, job := range i.Jobs {
		files := maps.Clone(job.Files)
		files["monit"] = job.Monit
		all[job.Name] = files
	}
	return all
}
