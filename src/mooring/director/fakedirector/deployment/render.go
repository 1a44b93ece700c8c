package deployment

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
)

//go:embed render.rb
var renderer string

// ErrNoRuby is what Prepare fails with where ruby, which renders templates, is
// not installed.
var ErrNoRuby = errors.New("ruby is not installed, so no template can be rendered; see scripts/install-dependencies")

// toRender is an instance with its jobs, for render.rb.
type toRender struct {
	Spec map[string]any `json:"spec"`
	Jobs []jobToRender  `json:"jobs"`
}

type jobToRender struct {
	Name       string             `json:"name"`
	Release    map[string]any     `json:"release"`
	Properties any                `json:"properties"`
	Links      map[string]any     `json:"links"`
	Templates  []templateToRender `json:"templates"`
}

type templateToRender struct {
	Source string `json:"source"`
	Text   string `json:"text"`
}

// answer is what became of a job's templates.
type answer struct {
	Texts  map[string]string
	Errors []string
}

// render renders the templates of all instances, in one go, for ruby takes its
// time to start.
func (p *planning) render() (*Deployment, error) {
	d := &Deployment{Name: p.name, First: p.previous == nil, Records: p.records(), providers: p.providers}
	for _, v := range p.variables {
		d.Variables = append(d.Variables, v.string("name"))
	}
	d.Removed = p.removed()
	groups := make([]collected, len(p.groups))
	var requests []toRender
	for n, group := range p.groups {
		d.Groups = append(d.Groups, &Group{Name: group.name, Lifecycle: group.lifecycle, Update: group.update, Instances: group.placed, Obsolete: group.obsolete})
		var asked []toRender
		groups[n].add(caught(func() { asked = p.requests(group) }))
		if len(groups[n]) == 0 {
			requests = append(requests, asked...)
		}
	}
	answers, err := askRuby(requests, p.director.Cloud.AZs)
	if err != nil {
		return nil, err
	}
	var refused collected
	for n, group := range p.groups {
		unresolved := len(groups[n]) > 0
		if !unresolved {
			groups[n], answers = p.take(group, answers)
		}
		err := caught(func() {
			groups[n].refuseUnder("- Unable to render jobs for instance group '%s'. Errors are:", group.name)
		})
		if err != nil && group.lifecycle == "errand" && !unresolved {
			d.Groups[n].Err = err
			continue
		}
		refused.add(err)
	}
	return d, caught(func() { refused.refuseUnder("Unable to render instance groups for deployment. Errors are:") })
}

// removed are the instances of groups that are gone.
func (p *planning) removed() []*Instance {
	var removed []*Instance
	for _, instance := range p.previous.existing() {
		stays := false
		for _, group := range p.groups {
			stays = stays || group.name == instance.Group
		}
		if !stays {
			removed = append(removed, instance)
		}
	}
	return removed
}

// requests are what has to be rendered for a group, with variables replaced.
func (p *planning) requests(group *groupPlan) []toRender {
	var errs []string
	for _, job := range group.jobs {
		if err := caught(func() { job.properties = p.scope().interpolatedTree(job.properties).(map[string]any) }); err != nil {
			errs = append(errs, fmt.Sprintf("- Unable to render templates for job '%s'. Errors are:\n%s", job.Name, indented(strings.TrimSpace(err.Error()))))
		}
	}
	if errs != nil {
		refuse("%s", strings.Join(errs, "\n"))
	}
	var jobs []jobToRender
	for _, job := range group.jobs {
		r := jobToRender{
			Name: job.Name, Release: map[string]any{"name": job.release.Name, "version": job.release.Version},
			Properties: forRuby(job.properties), Links: forRuby(p.linksOf(group, job.Name)).(map[string]any),
			Templates: []templateToRender{{"monit", job.Monit}},
		}
		for _, source := range sorted(job.Templates) {
			r.Templates = append(r.Templates, templateToRender{source, job.Sources[source]})
		}
		jobs = append(jobs, r)
	}
	var all []toRender
	for _, instance := range group.placed {
		all = append(all, toRender{Spec: p.spec(group, instance), Jobs: jobs})
	}
	return all
}

// spec is what templates see of their instance.
func (p *planning) spec(group *groupPlan, i *Instance) map[string]any {
	var templates []any
	for _, job := range group.jobs {
		templates = append(templates, map[string]any{"name": job.Name, "version": job.fingerprint()})
	}
	networks := map[string]any{}
	for name, ip := range i.IPs {
		subnet := p.director.Cloud.Networks[name].subnetOf(ip)
		bits := netip.MustParsePrefix(subnet.Range).Bits()
		network := map[string]any{
			"type": "manual", "ip": ip, "prefix": "32", "netmask": net.IP(net.CIDRMask(bits, 32)).String(), "cloud_properties": map[string]any{},
			"gateway": subnet.Gateway, "dns_record_name": p.record(fmt.Sprint(i.Index), i.Group, name),
		}
		var defaults []any
		for _, what := range sorted(group.defaults) {
			if group.defaults[what][0] == name {
				defaults = append(defaults, what)
			}
		}
		if defaults != nil {
			network["default"] = defaults
		}
		networks[name] = network
	}
	return map[string]any{
		"deployment": p.name, "job": map[string]any{"name": group.name, "templates": templates},
		"index": i.Index, "bootstrap": i.Bootstrap, "name": i.Group, "id": i.ID, "az": orNil(i.AZ), "networks": networks,
		"properties_need_filtering": true, "dns_domain_name": p.director.domain(), "persistent_disk": i.PersistentDisk,
		"address": i.Address, "ip": i.IP,
	}
}

// askRuby renders.
func askRuby(instances []toRender, azs []string) ([][]answer, error) {
	ruby, err := exec.LookPath("ruby")
	if err != nil {
		return nil, ErrNoRuby
	}
	input, err := json.Marshal(map[string]any{"azs": azs, "instances": append([]toRender{}, instances...)})
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(ruby, "-W0", "-e", renderer)
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(input)), os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("rendering templates with ruby: %w", err)
	}
	var answers [][]answer
	if err := json.Unmarshal(output, &answers); err != nil {
		return nil, fmt.Errorf("rendering templates with ruby: %w", err)
	}
	return answers, nil
}

// take takes the answers for a group. The first instance that cannot be rendered
// is the last one that the Director tries.
func (p *planning) take(group *groupPlan, answers [][]answer) (errs collected, rest [][]answer) {
	for n, instance := range group.placed {
		var wrong collected
		instance.Jobs = nil
		for k, job := range group.jobs {
			a := answers[n][k]
			switch {
			case len(a.Errors) == 0:
				instance.Jobs = append(instance.Jobs, job.rendered(a.Texts))
			case len(a.Texts) == 0:
				wrong = append(wrong, a.Errors[0])
			default:
				wrong.add(caught(func() {
					collected{"- " + strings.Join(a.Errors, "\n- ")}.refuseUnder("- Unable to render templates for job '%s'. Errors are:", job.Name)
				}))
			}
		}
		if errs == nil {
			errs = wrong
		}
	}
	return errs, answers[len(group.placed):]
}

func (j *jobPlan) rendered(texts map[string]string) *RenderedJob {
	r := &RenderedJob{
		Name: j.Name, Release: j.release.Name, Version: j.fingerprint(), Monit: texts["monit"], Files: map[string]string{},
		Properties: j.properties, Packages: j.Packages, PackageVersions: map[string]string{}, Errand: j.Errand(),
	}
	for source, target := range maps.All(j.Templates) {
		r.Files[target] = texts[source]
	}
	for _, name := range j.Packages {
		r.PackageVersions[j.release.Name+"/"+name] = j.release.Version
	}
	return r
}
