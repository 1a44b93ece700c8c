package deployment

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// The words are those of the library that bosh has for it.
func TestOps_SayWhatIsNotThere(t *testing.T) {
	for path, says := range map[string]string{
		"list":                 "Invalid path: Expected to start with '/'",
		"/list/name=b/x":       "Expected to find exactly one matching array item for path '/list/name=b' but found 0",
		"/tree/x":              "Expected to find a map key 'x' for path '/tree/x' (found map keys: 'y')",
		"/none/x/y?":           "Expected to find a map key 'x' for path '/none/x' (found no other map keys)",
		"/list/7":              "Expected to find array index '7' but found array of length '1' for path '/list/7'",
		"/list/name=a/-":       "Expected to find an array at path '/list/name=a/-' but found 'map[interface {}]interface {}'",
		"/list/-/further":      "Expected to find a map at path '/list/-' but found '[]interface {}'",
		"/tree?/q/1":           "Expected to find key, matching index or after last index token at path '/tree?/q/1'",
		"/list/name=a:after/x": "Expected to find one of the following modifiers: 'prev', 'next', but found modifier 'patch.AfterModifier'",
		"/tree/y:before":       "Invalid path: Expected not to find any modifiers with key token",
	} {
		document := map[string]any{"list": []any{map[string]any{"name": "a"}}, "tree": map[string]any{"y": 1}, "none": map[string]any{}}
		_, err := Operation{Type: "replace", Path: path, Value: 1}.Apply(document)
		NewWithT(t).Expect(err).To(MatchError(says), path)
	}
	_, err := Operation{Type: "add", Path: "/x", Value: 1}.Apply(map[string]any{})
	NewWithT(t).Expect(err).To(MatchError("Unknown operation with type 'add'"))
	_, err = Operation{Type: "remove", Path: "/x", Error: "have an x"}.Apply(map[string]any{})
	NewWithT(t).Expect(err).To(MatchError("Error 'have an x': Expected to find a map key 'x' for path '/x' (found no other map keys)"))
}

func TestOps_MakeWhatMayBeMissing(t *testing.T) {
	for _, row := range []struct {
		operation Operation
		becomes   map[string]any
	}{
		{Operation{Type: "replace", Path: "/tree?/x/name=n/y", Value: 1}, map[string]any{"tree": map[string]any{"x": []any{map[string]any{"name": "n", "y": 1}}}}},
		{Operation{Type: "replace", Path: "/list/-", Value: 3}, map[string]any{"list": []any{1, 2, 3}}},
		{Operation{Type: "replace", Path: "/list/0:before", Value: 3}, map[string]any{"list": []any{3, 1, 2}}},
		{Operation{Type: "replace", Path: "/list/0:after", Value: 3}, map[string]any{"list": []any{1, 3, 2}}},
		{Operation{Type: "replace", Path: "/list/-1", Value: 3}, map[string]any{"list": []any{1, 3}}},
		{Operation{Type: "replace", Path: "/list/0:next", Value: 3}, map[string]any{"list": []any{1, 3}}},
		{Operation{Type: "remove", Path: "/list/0"}, map[string]any{"list": []any{2}}},
		{Operation{Type: "remove", Path: "/list?"}, map[string]any{}},
		{Operation{Type: "remove", Path: "/gone?"}, map[string]any{"list": []any{1, 2}}},
	} {
		document, err := row.operation.Apply(map[string]any{"list": []any{1, 2}})
		g := NewWithT(t)
		g.Expect(err).NotTo(HaveOccurred(), row.operation.Path)
		for key, value := range row.becomes {
			g.Expect(document).To(HaveKeyWithValue(key, value), row.operation.Path)
		}
		g.Expect(document.(map[string]any)["list"] == nil).To(Equal(row.operation.Path == "/list?"), row.operation.Path)
	}
}

func TestOps_AreReadStrictly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ops.yml")
	NewWithT(t).Expect(os.WriteFile(path, []byte("- {type: remove, path: /x, valu: 1}\n"), 0o600)).To(Succeed())
	_, err := ReadOps(path)
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("valu")))
}

func TestInterpolate_ReplacesWhatIsGivenAndLeavesTheRest(t *testing.T) {
	g := NewWithT(t)
	manifest := []byte("a: ((x))\nb: is-((x))-((!y.z))\nc: ((y))\nd: ((left.ca))\ne: [((y.z))]\nvariables:\n- {name: left, type: certificate}\n- {name: x, type: password}\n")
	vars := map[string]any{"x": 1, "y": map[string]any{"z": "deep"}}
	document, err := Interpolate(manifest, []Ops{{{Type: "replace", Path: "/f?", Value: "((x))"}}}, vars)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(document).To(Equal(map[string]any{
		"a": 1, "b": "is-1-deep", "c": vars["y"], "d": "((left.ca))", "e": []any{"deep"}, "f": 1,
		"variables": []any{map[string]any{"name": "left", "type": "certificate"}},
	}))
	g.Expect(Variables(document)).To(Equal([]string{"left"}))

	_, err = Interpolate([]byte("a: ((y.q))"), nil, vars)
	g.Expect(err).To(MatchError("Finding variable 'y.q': Expected to find a map key 'q' for path '/q' (found map keys: 'z')"))
	_, err = Interpolate([]byte("a: of-((y))"), nil, vars)
	g.Expect(err).To(MatchError(ContainSubstring("Supported types for interpolation within a string are integers and strings.")))
}
