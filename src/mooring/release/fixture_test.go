package release

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"

	"mooring/director/fakedirector/deployment"
)

// newDirector returns a Director with the release uploaded, on which the instances
// of manifests/mooring.yml get IDs that stay the same from test to test.
func newDirector(t *testing.T) *deployment.Director {
	t.Helper()
	release, err := deployment.ReadRelease(top)
	if err != nil {
		t.Fatal(err)
	}
	bpm := &deployment.Release{Name: "bpm", Version: "1", Jobs: map[string]*deployment.Job{"bpm": {Name: "bpm"}}}
	ids := identities()
	return &deployment.Director{
		Releases: map[string]*deployment.Release{"mooring": release, "bpm": bpm},
		Cloud:    deployment.DefaultCloud(), Config: deployment.NewConfigServer(),
		NewID: func() string {
			id := ids[0]
			ids = ids[1:]
			return id
		},
	}
}

// identities are those of three control nodes, six cells and what comes then.
func identities() []string {
	var ids []string
	for _, group := range []struct {
		instances int
		id        string
	}{{3, "%08d-c0c0-4000-8000-00000000c0c0"}, {6, "%08d-ce11-4000-8000-00000000ce11"}, {90, "%08d-e44a-4000-8000-00000000e44a"}} {
		for i := range group.instances {
			ids = append(ids, fmt.Sprintf(group.id, i))
		}
	}
	return ids
}

// mooring returns manifests/mooring.yml as bosh sends it, with ops files and the
// variables that are given.
func mooring(t *testing.T, vars map[string]any, names ...string) map[string]any {
	t.Helper()
	var files []deployment.Ops
	for _, name := range names {
		ops, err := deployment.ReadOps(filepath.Join(top, "ops-files", name+".yml"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, ops)
	}
	document, err := deployment.Interpolate([]byte(readFile(t, filepath.Join(top, "manifests", "mooring.yml"))), files, vars)
	if err != nil {
		t.Fatalf("%v: %v", names, err)
	}
	return document.(map[string]any)
}

// element returns the element of a list in a manifest that has a name.
func element(t *testing.T, in map[string]any, list, name string) map[string]any {
	t.Helper()
	all, _ := in[list].([]any)
	for _, one := range all {
		if one := one.(map[string]any); one["name"] == name {
			return one
		}
	}
	t.Fatalf("there is no %s among the %s", name, list)
	return nil
}

// placed returns a job in a manifest, in whichever group it is.
func placed(t *testing.T, manifest map[string]any, job string) map[string]any {
	t.Helper()
	for _, group := range manifest["instance_groups"].([]any) {
		group := group.(map[string]any)
		if slices.ContainsFunc(group["jobs"].([]any), func(j any) bool { return j.(map[string]any)["name"] == job }) {
			return element(t, group, "jobs", job)
		}
	}
	t.Fatalf("the manifest has no job %s", job)
	return nil
}

// give returns a job properties, in the place of those that the manifest has.
func give(t *testing.T, manifest map[string]any, job string, properties map[string]any) {
	t.Helper()
	of := placed(t, manifest, job)
	all, _ := of["properties"].(map[string]any)
	all = maps.Clone(all)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, asManifest(t, properties))
	of["properties"] = all
}

// asManifest returns properties as a manifest that has them is read.
func asManifest(t *testing.T, properties map[string]any) (read map[string]any) {
	t.Helper()
	text, err := yaml.Marshal(properties)
	if err == nil {
		err = yaml.Unmarshal(text, &read)
	}
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// generate adds a certificate to the variables of a manifest.
func generate(manifest map[string]any, name string, options map[string]any) {
	manifest["variables"] = append(manifest["variables"].([]any), map[string]any{"name": name, "type": "certificate", "options": options})
}

// leaves are the properties of a certificate, as a manifest has them.
func leaves(variable string) map[string]any {
	of := func(leaf string) string { return "((" + variable + "." + leaf + "))" }
	return map[string]any{"ca": of("ca"), "certificate": of("certificate"), "private_key": of("private_key")}
}

// prepare returns what the Director makes of a manifest; errands can be run too.
func prepare(t *testing.T, director *deployment.Director, manifest map[string]any) *deployment.Deployment {
	t.Helper()
	prepared, err := tryPrepare(t, director, manifest)
	if err != nil {
		t.Fatal(err)
	}
	return prepared
}

// tryPrepare is prepare that may fail.
func tryPrepare(t *testing.T, director *deployment.Director, manifest map[string]any) (*deployment.Deployment, error) {
	t.Helper()
	prepared, err := director.Prepare(manifest, nil)
	if errors.Is(err, deployment.ErrNoRuby) {
		t.Skip(err)
	}
	if err != nil {
		return nil, err
	}
	for _, group := range prepared.Groups {
		if group.Err != nil {
			return nil, group.Err
		}
	}
	return prepared, nil
}

// on returns the first instance with a job, and the job there.
func on(t *testing.T, prepared *deployment.Deployment, job string) (*deployment.Instance, *deployment.RenderedJob) {
	t.Helper()
	for _, group := range prepared.Groups {
		for _, instance := range group.Instances {
			if found := instance.Job(job); found != nil {
				return instance, found
			}
		}
	}
	t.Fatalf("no instance has the job %s", job)
	return nil, nil
}

// files returns what is rendered of a job, monit included.
func files(j *deployment.RenderedJob) map[string]string {
	all := maps.Clone(j.Files)
	all["monit"] = j.Monit
	return all
}

// apiName is what BOSH DNS would answer with the addresses of all control nodes.
const apiName = "q-s0.control.default.mooring.bosh"

// onIPs returns instances IPs from a range in the place of names, and adds some to
// the certificates of those who listen.
func onIPs(t *testing.T, director *deployment.Director, manifest map[string]any, subnet deployment.Subnet, ips ...any) {
	t.Helper()
	subnet.AZs = director.Cloud.AZs
	director.Cloud.Networks["default"] = deployment.Network{Subnets: []deployment.Subnet{subnet}}
	manifest["features"] = map[string]any{"use_dns_addresses": false}
	for _, name := range []string{"etcd_server", "etcd_peer", "api_server"} {
		element(t, manifest, "variables", name)["options"].(map[string]any)["alternative_names"] = ips
	}
}
