package deployment

import (
	"github.com/google/uuid"
)

// Director has what was uploaded to a Director.
type Director struct {
	// Name is what the names of variables begin with; "director" if empty.
	Name     string
	Releases map[string]*Release
	Cloud    Cloud
	Config   *ConfigServer
	// Others are further deployments on the Director, whose shared links can be
	// consumed.
	Others []*Deployment
	// DNSDomain is "bosh" if empty.
	DNSDomain string
	// UseDNSAddresses is for manifests that do not say it in features.
	UseDNSAddresses bool
	// NewID makes the ID of a new instance; a random UUID if nil.
	NewID func() string
}

func (d *Director) domain() string {
	if d.DNSDomain == "" {
		return "bosh"
	}
	return d.DNSDomain
}

// other returns the other deployment of a name, nil for none.
func (d *Director) other(name string) *Deployment {
	for _, deployment := range d.Others {
		if deployment.Name == name {
			return deployment
		}
	}
	return nil
}

func (d *Director) newID() string {
	if d.NewID == nil {
		return uuid.NewString()
	}
	return d.NewID()
}

// Variable is the name under which the config server has a variable of a
// deployment.
func (d *Director) Variable(deployment, name string) string {
	return d.scope(deployment).absolute(name)
}

func (d *Director) scope(deployment string) scope {
	director := d.Name
	if director == "" {
		director = "director"
	}
	return scope{config: d.Config, prefix: "/" + director + "/" + deployment + "/"}
}

// planning is a deployment while it is prepared.
type planning struct {
	director  *Director
	previous  *Deployment
	name      string
	useNames  bool
	converge  bool
	update    Update
	stemcells map[string]Stemcell
	releases  map[string]*Release
	variables []given
	groups    []*groupPlan
	providers []*provider
	consumers []*consumer
	taken     map[string]bool // IPs
}

// groupPlan is an instance group of the manifest.
type groupPlan struct {
	name      string
	lifecycle string
	jobs      []*jobPlan
	stemcell  Stemcell
	vmType    string
	disk      int
	networks  []string
	network   string // the one that is the default
	defaults  map[string][]string
	azs       []string // nil for none at all
	instances int
	update    Update
	placed    []*Instance
	obsolete  []*Instance
}

// jobPlan is a job of a group.
type jobPlan struct {
	*Job
	release    *Release
	properties map[string]any // of the manifest; then those that were bound
}

// Prepare does what the Director does with a manifest before it touches a VM. It
// is also all of `bosh deploy --dry-run`. The config server generates what is
// missing either way.
func (d *Director) Prepare(manifest any, previous *Deployment) (prepared *Deployment, err error) {
	var problem error
	err = caught(func() {
		p := &planning{director: d, previous: previous, taken: map[string]bool{}}
		p.parse(asGiven(copied(manifest)))
		p.match()
		p.placeAll()
		p.bindProperties()
		p.bindLinks()
		p.generate()
		prepared, problem = p.render()
	})
	if err == nil {
		err = problem
	}
	if err != nil {
		return nil, err
	}
	return prepared, nil
}

func (p *planning) scope() scope { return p.director.scope(p.name) }

func (p *planning) bindProperties() {
	for _, group := range p.groups {
		for _, job := range group.jobs {
			job.properties = job.bind(orEmpty(job.properties))
		}
	}
}

func orEmpty(tree map[string]any) map[string]any {
	if tree == nil {
		return map[string]any{}
	}
	return tree
}
