package release

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
)

// small returns the manifest with one control node and one cell, and with
// certificates that are good for nothing here: stranger's, of another CA, and
// elsewhere's, for other names.
func small(t *testing.T) map[string]any {
	t.Helper()
	manifest := mooring(t, nil, "scale-to-one-az", "enable-roll-errand", "enable-prom-scraper")
	element(t, manifest, "instance_groups", "cell")["instances"] = 1
	generate(manifest, "stranger_ca", map[string]any{"is_ca": true, "common_name": "stranger"})
	generate(manifest, "stranger", map[string]any{"ca": "stranger_ca", "alternative_names": []any{"*.control.default.mooring.bosh"}})
	generate(manifest, "elsewhere", map[string]any{"ca": "api_ca", "alternative_names": []any{"*.elsewhere.default.mooring.bosh"}})
	return manifest
}

// refusedWith are the words in which the Director says no to a manifest.
func refusedWith(t *testing.T, director *deployment.Director, manifest map[string]any) string {
	t.Helper()
	director.NewID = newDirector(t).NewID
	_, err := tryPrepare(t, director, manifest)
	if err == nil {
		return ""
	}
	return err.Error()
}

// Every refusal names the template, the line, the value and the remedy.
func TestBadPropertiesAreRefused(t *testing.T) {
	mixed := func(variable string) map[string]any {
		mixed := leaves(variable)
		mixed["private_key"] = "((stranger.private_key))"
		return mixed
	}
	signedBy := func(variable, ca string) map[string]any {
		other := leaves(variable)
		other["ca"] = "((" + ca + ".certificate))"
		return other
	}
	type properties = map[string]any
	rows := map[string]struct {
		job   string
		given properties
		says  string
	}{
		"etcd: key of another certificate": {"etcd", properties{"tls": mixed("etcd_server")},
			`tls.certificate.pem.erb' \(line 5: tls.certificate and tls.private_key do not belong together; give both from one variable, such as \(\(etcd_server.certificate\)\) and \(\(etcd_server.private_key\)\)`},
		"etcd: key of another peer certificate": {"etcd", properties{"peer_tls": mixed("etcd_peer")}, `peer_tls.certificate and peer_tls.private_key do not belong together`},
		"etcd: certificate for other names": {"etcd", properties{"tls": leaves("elsewhere")},
			`tls.certificate is not for 00000000-c0c0-4000-8000-00000000c0c0.control.default.mooring.bosh; generate it with that name`},
		"etcd: certificate of another CA":      {"etcd", properties{"tls": signedBy("etcd_server", "api_ca")}, `tls.certificate is not signed by tls.ca; give both from one variable, such as \(\(etcd_server.ca\)\) and \(\(etcd_server.certificate\)\)`},
		"etcd: peer certificate of another CA": {"etcd", properties{"peer_tls": signedBy("etcd_peer", "api_ca")}, `peer_tls.certificate is not signed by peer_tls.ca`},
		"api: certificate of another CA":       {"api", properties{"tls": signedBy("api_server", "etcd_ca")}, `tls.certificate is not signed by tls.ca`},
		"api: scraper of another CA":           {"api", properties{"scraper_tls": leaves("stranger")}, `scraper_tls.certificate is not signed by tls.ca; generate it`},
		"cell: certificate of another CA":      {"cell", properties{"tls": leaves("stranger")}, `tls.certificate is not signed by the CA of the API; generate it with the ca that the certificate of the job api has`},
		"moor-cli: certificate of another CA":  {"moor-cli", properties{"tls": leaves("stranger")}, `not signed by the CA of the API`},
		"roll-cells: one of another CA":        {"roll-cells", properties{"tls": leaves("stranger")}, `not signed by the CA of the API`},
		"smoke-tests: one of another CA":       {"smoke-tests", properties{"tls": leaves("stranger")}, `not signed by the CA of the API`},
		"etcd: no certificate":                 {"etcd", properties{"tls": nil}, `line 1: Can't find property '\["tls.ca"\]'`},
		"etcd: elections too slow":             {"etcd", properties{"election_ms": 3001}, `election_ms is 3001; it must be at most 3000`},
		"etcd: elections too quick":            {"etcd", properties{"election_ms": 300}, `election_ms is 300 and heartbeat_ms 100; election_ms must be at least ten times`},
		"api: key of another certificate":      {"api", properties{"tls": mixed("api_server")}, `such as \(\(api_server.certificate\)\) and \(\(api_server.private_key\)\)`},
		"api: certificate for other names":     {"api", properties{"tls": leaves("elsewhere")}, `tls.certificate is not for`},
		"api: key of another client":           {"api", properties{"etcd_tls": mixed("etcd_client")}, `etcd_tls.certificate and etcd_tls.private_key do not belong together`},
		"api: key of another scraper":          {"api", properties{"scraper_tls": mixed("api_operator")}, `such as \(\(api_scraper.certificate\)\) and \(\(api_scraper.private_key\)\)`},
		"api: nobody may do anything":          {"api", properties{"access": properties{"certificates": []any{}}}, `nobody could do anything, not even cells`},
		"api: a UAA that is none":              {"api", properties{"uaa": properties{"url": "uaa.example.com"}}, `uaa.url is "uaa.example.com"; write the issuer`},
		"scheduler: key of another client":     {"scheduler", properties{"etcd_tls": mixed("etcd_client")}, `do not belong together`},
		"scheduler: no update domain":          {"scheduler", properties{"update_domains": properties{"count": 0}}, `update_domains.count is 0; give a whole number from 1`},
		"orchestrator: no certificate":         {"orchestrator", properties{"etcd_tls": nil}, `Can't find property '\["etcd_tls.certificate"\]'`},
		"orchestrator: a receiver without a route": {"orchestrator", properties{"alerts": properties{"receivers": []any{properties{"name": "log", "log": properties{}}}}},
			`no route leads to the receiver "log"; name it in alerts.routes`},
		"orchestrator: receivers that are none": {"orchestrator", properties{"alerts": properties{"receivers": []any{"log"}}}, `list receivers, each with a name`},
		"api: a Director without a login":       {"api", properties{"director": properties{"url": "https://10.0.0.6:25555", "client": "moor"}}, `director.client and director.secret are needed with director.url`},
		"orchestrator: a Director that is none": {"orchestrator", properties{"director": properties{"url": "10.0.0.6"}}, `director.url is "10.0.0.6"; write it as https://10.0.0.6:25555`},
		"cell: key of another certificate":      {"cell", properties{"tls": mixed("api_operator")}, `such as \(\(api_cell.certificate\)\) and \(\(api_cell.private_key\)\)`},
		"cell: a pool with a space":             {"cell", properties{"pool": "big $(reboot)"}, `pool is "big \$\(reboot\)"; use lower-case letters, digits and dashes`},
		"cell: memory without a unit":           {"cell", properties{"memory": 48}, `memory is 48; write an amount such as 512M or 48G`},
		"cell: ports that are none":             {"cell", properties{"ports": "all"}, `ports is "all"; write a range such as 10000-19999`},
		"cell: a relative path":                 {"cell", properties{"path": []string{"bin"}}, `path is "bin"; give directories that begin with a slash`},
		"cell: no update domain":                {"cell", properties{"update_domains": properties{"count": 0}}, `update_domains is 0 for 1 AZs; both are whole numbers from 1`},
		"cell: update domains in no AZ":         {"cell", properties{"update_domains": properties{"count": 2, "azs": 0}}, `update_domains is 2 for 0 AZs`},
		"volume-manager: nothing offered":       {"volume-manager", properties{"persistent": properties{"enabled": false}, "ephemeral": properties{"enabled": false}}, `no class of volumes is offered; enable`},
		"volume-manager: a capacity in %":       {"volume-manager", properties{"persistent": properties{"capacity": "50%"}}, `persistent.capacity is "50%"; write an amount such as 500G`},
		"volume-manager: a class twice":         {"volume-manager", properties{"shared": []any{properties{"name": "persistent", "root": "/x", "capacity": "1G"}}}, `shared\[0\].name is "persistent"; use`},
		"volume-manager: a relative root":       {"volume-manager", properties{"shared": []any{properties{"name": "nfs", "root": "x", "capacity": "1G"}}}, `shared\[0\].root is "x"; give a directory`},
		"volume-manager: no capacity":           {"volume-manager", properties{"shared": []any{properties{"name": "nfs", "root": "/x"}}}, `shared\[0\].capacity is nil; write`},
		"moor-cli: key of another":              {"moor-cli", properties{"tls": mixed("api_operator")}, `do not belong together`},
		"smoke-tests: a class that is none":     {"smoke-tests", properties{"classes": properties{"floating": "a b"}}, `classes.floating is "a b"; give the name of a class`},
		"smoke-tests: no instances":             {"smoke-tests", properties{"instances": 0}, `instances is 0; give a whole number from 1`},
		"roll-cells: a plan without a name":     {"roll-cells", properties{"plan": properties{"action": "reboot"}}, `plan needs a name of at most 47`},
		"roll-cells: no plan":                   {"roll-cells", properties{"plan": nil}, `Can't find property '\["plan"\]'`},
		"roll-cells: a plan that waits for itself": {"roll-cells", properties{"wait": true, "plan": properties{"name": "x", "via": properties{"bosh": properties{"instance_group": "cell"}}}},
			`wait is true and the plan acts through BOSH on mooring, which BOSH locks as long as the errand runs: it would wait for itself; leave wait off`},
		"roll-cells: a reason with a quote": {"roll-cells", properties{"reason": `"; reboot`}, `write a sentence without quotes`},
	}
	director := newDirector(t)
	for _, name := range sorted(rows) {
		manifest := small(t)
		give(t, manifest, rows[name].job, rows[name].given)
		NewWithT(t).Expect(refusedWith(t, director, manifest)).To(And(
			MatchRegexp(`Unable to render templates for job '`+rows[name].job+`'. Errors are:\n +- Error filling in template '[a-z_/.]+' \(line \d+: `), MatchRegexp(rows[name].says)), name)
	}
}

func TestACellWithoutAZoneIsRefused(t *testing.T) {
	director, manifest := newDirector(t), small(t)
	for i := range director.Cloud.Networks["default"].Subnets {
		director.Cloud.Networks["default"].Subnets[i].AZs = nil
	}
	for _, group := range manifest["instance_groups"].([]any) {
		delete(group.(map[string]any), "azs")
	}
	NewWithT(t).Expect(refusedWith(t, director, manifest)).To(ContainSubstring("the cell has no availability zone; give its instance group azs"))
}

func TestPersistentVolumesWithoutAPersistentDiskAreRefused(t *testing.T) {
	g := NewWithT(t)
	director, manifest := newDirector(t), small(t)
	delete(element(t, manifest, "instance_groups", "cell"), "persistent_disk_type")
	g.Expect(refusedWith(t, director, manifest)).To(ContainSubstring("this cell has no persistent disk and cannot offer persistent volumes; give its instance group a persistent_disk_type, or set persistent.enabled to false"))

	give(t, manifest, "volume-manager", map[string]any{"persistent": map[string]any{"enabled": false}})
	_, job := on(t, prepare(t, director, manifest), "volume-manager")
	g.Expect(job.Files["config/classes.env"]).NotTo(ContainSubstring("persistent,"))
}

// BOSH asks nobody what to do about a link that is missing, so that links are
// optional to it and a template says it.
func TestAMissingLinkIsRefused(t *testing.T) {
	remedies := map[string]string{
		"api":  `there is no link api: deploy the job api in this deployment, or give the one of another with consumes: {api: {from: api, deployment: NAME}}, shared there with provides: {api: {shared: true}}`,
		"etcd": `there is no link etcd: deploy the job etcd beside this one, or give an etcd of your own as ops-files/use-external-etcd.yml does`,
	}
	director := newDirector(t)
	for name, j := range jobs(t) {
		for _, wanted := range j.Consumes {
			own := name == wanted.Name // it is always there
			NewWithT(t).Expect(wanted.Optional).To(Equal(!own), name)
			if own {
				continue
			}
			manifest := small(t)
			placed(t, manifest, name)["consumes"] = map[string]any{wanted.Name: "nil"}
			NewWithT(t).Expect(refusedWith(t, director, manifest)).To(And(
				MatchRegexp(`job '`+name+`'. Errors are:\n +- Error filling in template '[a-z_/.]+' \(line \d+: `), ContainSubstring(remedies[wanted.Name])), name)
		}
	}
}
