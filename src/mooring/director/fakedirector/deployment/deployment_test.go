package deployment

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// where writes the instances of a group: ID, index, AZ, * for bootstrap.
func where(instances []*Instance) string {
	var all []string
	for _, i := range instances {
		all = append(all, fmt.Sprintf("%s/%d/%s%s", i.ID, i.Index, i.AZ, map[bool]string{true: "*"}[i.Bootstrap]))
	}
	return strings.Join(all, " ")
}

func instances(n int) string { return set("/instance_groups/name=db/instances", fmt.Sprint(n)) }

// Which instances stay was compared with what the Director's own planner chooses,
// for some thousand groups.
func TestPlacement_KeepsAddsAndRemovesAsTheDirectorDoes(t *testing.T) {
	g := NewWithT(t)
	d := newShop()
	first := prepared(t, d, changed(t, instances(5)), nil)
	g.Expect(first.First).To(BeTrue())
	// Disks: whoever has the lowest index stays, wherever it is.
	g.Expect(where(first.Group("db").Instances)).To(Equal("id-01/0/z1* id-03/2/z1 id-05/4/z1 id-02/1/z2 id-04/3/z2"))
	g.Expect(where(first.Group("web").Instances)).To(Equal("id-06/0/z1* id-07/1/z2 id-08/2/z3"))

	again := prepared(t, d, changed(t, instances(5)), first)
	g.Expect(again.First).To(BeFalse())
	for _, group := range again.Groups {
		for _, instance := range group.Instances {
			g.Expect(instance.Changes(first.Instance(instance.ID))).To(BeNil(), instance.ID)
		}
	}

	fewer := prepared(t, d, changed(t, instances(2)+set("/instance_groups/name=web/azs", "[z2, z3]")), again)
	g.Expect(where(fewer.Group("db").Instances)).To(Equal("id-01/0/z1* id-02/1/z2"))
	g.Expect(where(fewer.Group("db").Obsolete)).To(Equal("id-03/2/z1 id-04/3/z2 id-05/4/z1"))
	g.Expect(where(fewer.Group("web").Obsolete)).To(Equal("id-06/0/z1*"))
	g.Expect(where(fewer.Group("web").Instances)).To(Equal("id-07/1/z2* id-09/3/z2 id-08/2/z3"), "the lowest index is the bootstrap instance now, and no index is given twice")

	t.Log("indexes and IPs are free once an instance is deleted")
	fewer.Forget(fewer.Group("db").Obsolete[0])
	more := prepared(t, d, changed(t, instances(3)), fewer)
	g.Expect(where(more.Group("db").Instances)).To(Equal("id-01/0/z1* id-02/1/z2 id-04/3/z2"), "who is not deleted yet can stay")
	fewer.Carried()
	more = prepared(t, d, changed(t, instances(3)), fewer)
	g.Expect(where(more.Group("db").Instances)).To(Equal("id-01/0/z1* id-10/2/z1 id-02/1/z2"))
	g.Expect(more.Group("db").Instances[1].IP).To(Equal("10.0.1.3"))
	g.Expect(where(more.Group("web").Instances)).To(Equal("id-07/1/z2* id-11/0/z1 id-08/2/z3"), "a bootstrap instance that stays is it, and its AZ is the first")

	gone := prepared(t, d, changed(t, "- {type: remove, path: /instance_groups/name=db}\n"), more)
	g.Expect(where(gone.Removed)).To(Equal("id-01/0/z1* id-10/2/z1 id-02/1/z2"))
	g.Expect(gone.Group("db")).To(BeNil())
}

func TestNetwork_HasAnEnd(t *testing.T) {
	d := newShop()
	d.Cloud.Networks["default"].Subnets[0].Range = "10.0.1.0/29"
	d.Cloud.Networks["default"].Subnets[0].Reserved = []string{"10.0.1.5"}
	_, err := d.Prepare(changed(t, instances(10)), nil)
	NewWithT(t).Expect(err).To(MatchError("Failed to reserve IP for 'db/id-09 (8)' for manual network 'default': no more available"))
}

func TestRecords_AreWhatBOSHDNSAnswers(t *testing.T) {
	g := NewWithT(t)
	records := prepared(t, newShop(), changed(t, instances(3)), nil).Records
	g.Expect(records).To(HaveKeyWithValue("id-01.db.default.shop.bosh", []string{"10.0.1.2"}))
	g.Expect(records["q-s0.db.default.shop.bosh"]).To(ConsistOf("10.0.1.2", "10.0.1.3", "10.0.2.2"))
	g.Expect(records["q-a1s0.db.default.shop.bosh"]).To(ConsistOf("10.0.1.2", "10.0.1.3"))
}

func TestUpdate_IsThatOfTheGroupOverThatOfTheDeployment(t *testing.T) {
	g := NewWithT(t)
	deployment := prepared(t, newShop(), changed(t, set("/update/serial?", "true")+set("/instance_groups/name=web/update/initial_deploy_az_update_strategy?", "parallel")), nil)
	second := time.Second
	g.Expect(deployment.Group("db").Update).To(Equal(Update{Canaries: "1", MaxInFlight: "2", CanaryWatch: Watch{second, 2 * second}, UpdateWatch: Watch{3 * second, 3 * second}, Serial: true}))
	web := deployment.Group("web").Update
	g.Expect(web).To(Equal(Update{Canaries: "1", MaxInFlight: "50%", CanaryWatch: Watch{second, 2 * second}, UpdateWatch: Watch{3 * second, 3 * second}, ParallelFirstDeploy: true}))
	for size, most := range map[int]int{1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 3} {
		g.Expect(web.MaxInFlightOf(size)).To(Equal(most), "of %d", size)
	}
	g.Expect(Update{MaxInFlight: "67%"}.MaxInFlightOf(3)).To(Equal(2))
	g.Expect(Update{MaxInFlight: "0"}.MaxInFlightOf(3)).To(Equal(1))
	g.Expect(Update{Canaries: "20%"}.CanariesOf(4)).To(Equal(0))
	g.Expect(Update{Canaries: "9"}.CanariesOf(4)).To(Equal(4))
}

func TestInstance_SaysWhatChanged(t *testing.T) {
	for name, row := range map[string]struct {
		operations string
		change     func(*Director)
		says       []string
		recreates  bool
	}{
		"a property":         {set(dbJob+"/properties?", "{port: 1}"), nil, []string{"configuration"}, false},
		"a stemcell":         {set("/stemcells/0/os", "ubuntu-noble"), nil, []string{"stemcell"}, true},
		"a VM type":          {set("/instance_groups/name=db/vm_type", "big"), nil, []string{"cloud_properties"}, true},
		"a VM type's name":   {set("/instance_groups/name=db/vm_type", "same"), nil, nil, false},
		"a disk":             {set("/instance_groups/name=db/persistent_disk_type", "big"), nil, []string{"persistent_disk"}, false},
		"no disk":            {"- {type: remove, path: /instance_groups/name=db/persistent_disk_type}\n", nil, []string{"persistent_disk"}, false},
		"a release":          {"[]", func(d *Director) { d.Releases["shop"].Version = "2" }, []string{"packages"}, false},
		"a template":         {"[]", func(d *Director) { d.Releases["shop"].Jobs["db"].Sources["db.conf.erb"] = "new" }, []string{"configuration", "job"}, false},
		"a job":              {set("/instance_groups/name=db/jobs/-", "{name: web, release: shop}"), nil, []string{"configuration", "job"}, false},
		"an IP that is gone": {"[]", func(d *Director) { d.Cloud.Networks["default"].Subnets[0].Reserved = []string{"10.0.1.2"} }, []string{"network", "dns"}, true},
		"how it is updated":  {set("/update/canaries", "2"), nil, nil, false},
		"another group":      {set("/instance_groups/name=web/instances", "1"), nil, nil, false},
	} {
		d := newShop()
		d.Cloud.VMTypes["big"], d.Cloud.VMTypes["same"] = map[string]any{"cpu": 8}, map[string]any{}
		d.Cloud.DiskTypes["big"] = 1 << 20
		first := prepared(t, d, changed(t, "[]"), nil)
		if row.change != nil {
			row.change(d)
		}
		instance := prepared(t, d, changed(t, row.operations), first).Group("db").Instances[0]
		changes := instance.Changes(first.Instance(instance.ID))
		NewWithT(t).Expect(changes).To(Equal(row.says), name)
		NewWithT(t).Expect(Recreates(changes)).To(Equal(row.recreates), name)
	}
}

const certificates = `
- type: replace
  path: /variables
  value:
  - {name: ca, type: certificate, options: {is_ca: true, common_name: shop-ca}}
  - name: db
    type: certificate
    update_mode: converge
    consumes: {alternative_name: {from: db-address, properties: {wildcard: true}}}
    options: {ca: ca, common_name: db, extended_key_usage: [server_auth], alternative_names: [127.0.0.1], duration: 7}
  - {name: password, type: password}
- type: replace
  path: /instance_groups/name=db/jobs/name=db/custom_provider_definitions?
  value: [{name: db-address, type: address}]
- type: replace
  path: /instance_groups/name=db/jobs/name=db/properties?
  value: {tls: {key: ((password))}}
`

// certificate reads what the config server has.
func certificate(t *testing.T, d *Director, name string) (value map[string]any, parsed *x509.Certificate) {
	t.Helper()
	value, _ = d.Config.Get(d.Variable("shop", name)).(map[string]any)
	block, _ := pem.Decode([]byte(value["certificate"].(string)))
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return value, parsed
}

func TestConfigServer_MakesCertificatesForTheAddressesTheyConsume(t *testing.T) {
	g := NewWithT(t)
	d := newShop()
	d.Config.Now = func() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }
	deployment := prepared(t, d, changed(t, certificates), nil)
	g.Expect(deployment.Variables).To(Equal([]string{"ca", "db", "password"}))
	authority, ca := certificate(t, d, "ca")
	value, db := certificate(t, d, "db")
	g.Expect(value["ca"]).To(Equal(authority["certificate"]))
	g.Expect(db.CheckSignatureFrom(ca)).To(Succeed())
	g.Expect(db.DNSNames).To(Equal([]string{"*.db.default.shop.bosh"}))
	g.Expect(db.IPAddresses).To(HaveLen(1))
	g.Expect(db.Subject.CommonName).To(Equal("db"))
	g.Expect(db.ExtKeyUsage).To(Equal([]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}))
	g.Expect(db.NotAfter).To(Equal(d.Config.Now().AddDate(0, 0, 7)))
	job := deployment.Group("db").Instances[0].Job("db")
	g.Expect(job.Files["config/db.conf"]).To(Equal(fmt.Sprintf("port=5432\nkey=%s\n", d.Config.Get("/director/shop/password"))))

	t.Log("they are kept; with converge, until what they are made from changes")
	prepared(t, d, changed(t, certificates), deployment)
	kept, _ := certificate(t, d, "db")
	g.Expect(kept).To(Equal(value))
	prepared(t, d, changed(t, certificates+"- {type: replace, path: /variables/name=ca/options/common_name, value: new}\n"), deployment)
	kept, _ = certificate(t, d, "db")
	g.Expect(kept).To(Equal(value), "the CA does not converge, and is what it was")
	prepared(t, d, changed(t, certificates+"- {type: replace, path: /variables/name=db/options/common_name, value: new}\n"), deployment)
	anew, db := certificate(t, d, "db")
	g.Expect(anew).NotTo(Equal(value))
	g.Expect(db.Subject.CommonName).To(Equal("new"))
	d.Config.Delete("/director/shop/ca")
	prepared(t, d, changed(t, certificates), deployment)
	_, ca = certificate(t, d, "ca")
	_, db = certificate(t, d, "db")
	g.Expect(db.CheckSignatureFrom(ca)).To(Succeed(), "its CA changed")
}

func TestConfigServer_BelievesTheOperator(t *testing.T) {
	g := NewWithT(t)
	d := newShop()
	d.Config.Set("/director/shop/password", "mine")
	job := prepared(t, d, changed(t, certificates), nil).Group("db").Instances[0].Job("db")
	g.Expect(job.Files["config/db.conf"]).To(ContainSubstring("key=mine\n"))
	g.Expect(d.Config.Generate("/other", "certificate", map[string]any{"ca": "/director/shop/ca", "common_name": "x"})).To(Succeed())
	g.Expect(d.Config.Generate("/other", "certificate", map[string]any{"common_name": "x"})).To(MatchError(ContainSubstring("Config Server failed to generate value for '/other' with type 'certificate'. HTTP Code '400'")))
	g.Expect(d.Config.Generate("/other", "cookie", nil)).To(MatchError(ContainSubstring("type 'cookie'")))
}

func TestRelease_IsReadStrictly(t *testing.T) {
	g := NewWithT(t)
	_, err := ReadRelease(t.TempDir())
	g.Expect(err).To(HaveOccurred())
	release, err := ReadRelease("../../../../..")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(release.Name).To(Equal("mooring"))
	g.Expect(release.Jobs["etcd"].Provides[0].Type).To(Equal("mooring-etcd"))
	g.Expect(release.Jobs["smoke-tests"].Errand()).To(BeTrue())
	g.Expect(release.Jobs["api"].Errand()).To(BeFalse())
	bound, err := release.Jobs["scheduler"].Bind(map[string]any{"etcd_tls": map[string]any{"certificate": "c"}, "more": 1})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(bound["etcd_tls"]).To(Equal(map[string]any{"certificate": "c", "private_key": nil}))
	g.Expect(bound).NotTo(HaveKey("more"))
}
