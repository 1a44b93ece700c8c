package deployment

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Interpolate makes what `bosh deploy` sends of a manifest: changed by the ops
// files in their order, with the variables that are given replaced. The others
// are left to the Director; those that are given need no definition any more.
func Interpolate(manifest []byte, ops []Ops, vars map[string]any) (any, error) {
	var document any
	if err := yaml.Unmarshal(manifest, &document); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	var err error
	for _, file := range ops {
		for _, operation := range file {
			if document, err = operation.Apply(document); err != nil {
				return nil, err
			}
		}
	}
	if document, err = replaced(document, vars); err != nil {
		return nil, err
	}
	if tree, isTree := document.(map[string]any); isTree {
		if list, isList := tree["variables"].([]any); isList {
			tree["variables"] = slices.DeleteFunc(list, func(v any) bool {
				definition, _ := v.(map[string]any)
				name, _ := definition["name"].(string)
				_, isGiven := vars[name]
				return isGiven
			})
		}
	}
	return document, nil
}

var variable = regexp.MustCompile(`\(\( ?(!?[-/.\w\pL]+) ?\)\)`)

// Variables returns the names of all variables in a document, sorted: of
// ((name.key)), name.
func Variables(document any) []string {
	var all []string
	switch node := document.(type) {
	case string:
		for _, match := range variable.FindAllStringSubmatch(node, -1) {
			root, _, _ := strings.Cut(strings.TrimPrefix(match[1], "!"), ".")
			all = append(all, root)
		}
	case []any:
		for _, element := range node {
			all = append(all, Variables(element)...)
		}
	case map[string]any:
		for key, value := range node {
			all = append(all, append(Variables(key), Variables(value)...)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// replaced puts the given variables into a document.
func replaced(node any, vars map[string]any) (any, error) {
	switch node := node.(type) {
	case string:
		return replacedIn(node, vars)
	case []any:
		for i := range node {
			value, err := replaced(node[i], vars)
			if err != nil {
				return nil, err
			}
			node[i] = value
		}
	case map[string]any:
		for _, key := range sorted(node) {
			value, err := replaced(node[key], vars)
			if err != nil {
				return nil, err
			}
			name, err := replacedIn(key, vars)
			if err != nil {
				return nil, err
			}
			delete(node, key)
			node[fmt.Sprint(name)] = value
		}
	}
	return node, nil
}

func replacedIn(from string, vars map[string]any) (any, error) {
	for _, match := range variable.FindAllStringSubmatch(from, -1) {
		value, found, err := lookup(strings.TrimPrefix(match[1], "!"), vars)
		if err != nil {
			return nil, err
		}
		switch {
		case !found:
		case match[0] == from:
			return copied(value), nil
		case class(value) == "String" || class(value) == "Integer":
			from = strings.ReplaceAll(from, match[0], fmt.Sprint(value))
		default:
			return nil, saidf("Invalid type '%T' for value '%v' and variable '%s'. Supported types for interpolation within a string are integers and strings.", value, value, match[1])
		}
	}
	return from, nil
}

// lookup finds what is given for name or name.key.
func lookup(name string, vars map[string]any) (value any, found bool, err error) {
	root, path, deeper := strings.Cut(name, ".")
	value, found = vars[root]
	if !found || !deeper {
		return value, found, nil
	}
	done := ""
	for key := range strings.SplitSeq(path, ".") {
		done += "/" + key
		tree, isTree := value.(map[string]any)
		if !isTree {
			return nil, false, saidf("Finding variable '%s': %v", name, mismatch("a map", done, value))
		}
		if value, found = tree[key]; !found {
			return nil, false, saidf("Finding variable '%s': Expected to find a map key '%s' for path '%s' (%s)", name, key, done, siblings(tree))
		}
	}
	return value, true, nil
}
