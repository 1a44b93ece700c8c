package tarball

import (
	"testing"

	. "github.com/onsi/gomega"
)

// As Ruby's Dir.glob and bosh read them: ** is any number of directories, none
// included.
func TestPatternsOfAPackagesSpec(t *testing.T) {
	for pattern, paths := range map[string]map[string]bool{
		"mooring/**/*_test.go":     {"mooring/floors_test.go": true, "mooring/a/b/c_test.go": true, "mooring/a/b.go": false, "etcd/a_test.go": false},
		"mooring/**/testdata/**/*": {"mooring/testdata/a": true, "mooring/a/testdata/b/c": true, "mooring/testdata": false},
		"mooring/go.mod":           {"mooring/go.mod": true, "mooring/gosmod": false, "mooring/a/go.mod": false},
		"golang/go*.tar.gz":        {"golang/go1.2.tar.gz": true, "golang/a/go1.tar.gz": false},
	} {
		for path, matched := range paths {
			NewWithT(t).Expect(matches([]string{pattern}, path)).To(Equal(matched), "%s, %s", pattern, path)
		}
	}
}
