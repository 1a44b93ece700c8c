package release

import (
	"crypto/x509"
	"encoding/pem"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
)

// filledIn is what an operator gives for the variables that ops files announce.
var filledIn = map[string]string{
	"alertmanager_urls":       `["http://10.0.0.9:9093"]`,
	"cell_azs":                "3",
	"cell_update_domains":     "5",
	"deployment_name":         "second",
	"director_ca":             "-----BEGIN CERTIFICATE-----",
	"director_client":         "mooring",
	"director_client_secret":  "s3cret",
	"director_url":            "https://10.0.0.6:25555",
	"external_etcd_ca":        "-----BEGIN CERTIFICATE-----",
	"external_etcd_client":    "{certificate: c, private_key: k}",
	"external_etcd_hosts":     "[{address: etcd.example.com}]",
	"external_etcd_port":      "2379",
	"mooring_release_sha1":    "sha256:7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
	"mooring_release_url":     "https://example.com/mooring-1.2.3-ubuntu-noble-1.915.tgz",
	"mooring_release_version": "1.2.3",
	"shared_volumes_capacity": "2T",
	"shared_volumes_root":     "/var/vcap/data/shared",
	"stemcell_os":             "ubuntu-noble",
	"stemcell_version":        `"1.915"`,
	"uaa_ca":                  "-----BEGIN CERTIFICATE-----",
	"uaa_url":                 "https://uaa.example.com/oauth/token",
}

// generatedCertificate is a variable of the manifest that BOSH generates.
type generatedCertificate struct {
	Name       string
	Type       string
	UpdateMode string `yaml:"update_mode"`
	Options    struct {
		CA         string   `yaml:"ca"`
		IsCA       bool     `yaml:"is_ca"`
		CommonName string   `yaml:"common_name"`
		Usage      []string `yaml:"extended_key_usage"`
	}
	Consumes map[string]struct{ From string }
}

// The real bosh fills everything in and generates what is left, as for an
// operator without a config server: no variable is missing, none is given in
// vain, and every certificate is one for what it is used for.
func TestBOSHGeneratesEveryVariable(t *testing.T) {
	bosh, err := exec.LookPath("bosh")
	if err != nil {
		t.Skip("bosh is not on the PATH, so the variables are not generated")
	}
	store := filepath.Join(t.TempDir(), "vars.yml")
	for _, ops := range everyUse(t) {
		t.Run(strings.Join(append([]string{"mooring"}, ops...), "+"), func(t *testing.T) {
			g := NewWithT(t)
			args := []string{"interpolate", filepath.Join(top, "manifests", "mooring.yml"), "--var-errs-unused"}
			var asked string
			for _, name := range ops {
				path := filepath.Join(top, "ops-files", name+".yml")
				args = append(args, "--ops-file", path)
				asked += readFile(t, path)
			}
			for _, name := range deployment.Variables(asked) {
				if value, given := filledIn[name]; given {
					args = append(args, "--var", name+"="+value)
				}
			}
			// With a store, bosh leaves the variables out of what it prints.
			output, err := exec.Command(bosh, args...).CombinedOutput()
			g.Expect(err).NotTo(HaveOccurred(), "%s", output)
			var filled struct{ Variables []generatedCertificate }
			g.Expect(yaml.Unmarshal(output, &filled)).To(Succeed())
			g.Expect(filled.Variables).NotTo(BeEmpty())
			args[slices.Index(args, "--var-errs-unused")] = "--var-errs"
			output, err = exec.Command(bosh, append(args, "--vars-store", store)...).CombinedOutput()
			g.Expect(err).NotTo(HaveOccurred(), "%s", output)
			g.Expect(deployment.Variables(string(output))).To(BeEmpty())

			var values map[string]struct {
				CA, Certificate string
				PrivateKey      string `yaml:"private_key"`
			}
			readYAML(t, store, &values)
			for _, v := range filled.Variables {
				checkCertificate(t, v, values[v.Name].CA, values[v.Name].Certificate)
			}
		})
	}
}

// checkCertificate checks what was generated for a variable.
func checkCertificate(t *testing.T, v generatedCertificate, ca, text string) {
	t.Helper()
	g := NewWithT(t)
	block, _ := pem.Decode([]byte(text))
	g.Expect(block).NotTo(BeNil(), v.Name)
	certificate, err := x509.ParseCertificate(block.Bytes)
	g.Expect(err).NotTo(HaveOccurred(), v.Name)
	g.Expect(v.Type).To(Equal("certificate"), v.Name)
	g.Expect(certificate.Subject.CommonName).To(Equal(v.Options.CommonName), v.Name)
	g.Expect(v.Options.CommonName).To(HavePrefix("mooring-"), v.Name)
	g.Expect(certificate.IsCA).To(Equal(v.Options.IsCA), v.Name)
	if v.Options.IsCA {
		return
	}
	g.Expect(v.UpdateMode).To(Equal("converge"), "%s follows its CA and its names", v.Name)
	serves := slices.Contains(v.Options.Usage, "server_auth")
	g.Expect(v.Consumes != nil).To(Equal(serves), "%s is for the names of those who serve with it, and for no names otherwise", v.Name)
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if serves {
		usages = append(usages, x509.ExtKeyUsageServerAuth)
	}
	g.Expect(certificate.ExtKeyUsage).To(ConsistOf(usages), v.Name)
	roots := x509.NewCertPool()
	g.Expect(roots.AppendCertsFromPEM([]byte(ca))).To(BeTrue(), v.Name)
	for _, usage := range usages {
		_, err := certificate.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{usage}})
		g.Expect(err).NotTo(HaveOccurred(), v.Name)
	}
}
