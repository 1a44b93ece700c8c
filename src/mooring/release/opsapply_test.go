package release

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// operation is one entry of an ops file.
type operation struct {
	Type  string `yaml:"type"`
	Path  string `yaml:"path"`
	Value any    `yaml:"value"`
}

// apply does what `bosh interpolate --ops-file` does with one operation, for
// the paths that ops files here use: keys, name=value, list ends (-), and ? for
// what may be made.
func (o operation) apply(document any) (any, error) {
	if o.Type != "replace" && o.Type != "remove" {
		return nil, fmt.Errorf("%s: type %q is neither replace nor remove", o.Path, o.Type)
	}
	steps := strings.Split(strings.TrimPrefix(o.Path, "/"), "/")
	result, err := o.at(document, steps, false)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", o.Type, o.Path, err)
	}
	return result, nil
}

func (o operation) at(node any, steps []string, optional bool) (any, error) {
	if len(steps) == 0 {
		return o.Value, nil
	}
	step, made := strings.CutSuffix(steps[0], "?")
	optional = optional || made
	if list, isList := node.([]any); isList || (node == nil && optional && (step == "-" || strings.Contains(step, "="))) {
		return o.inList(list, step, steps[1:], optional)
	}
	tree, isTree := node.(map[string]any)
	if !isTree && (node != nil || !optional) {
		return nil, fmt.Errorf("there is no place for %q", step)
	}
	child, found := tree[step]
	if !found && !optional && (o.Type == "remove" || len(steps) > 1 || !made) {
		return nil, fmt.Errorf("there is no %q", step)
	}
	copied := make(map[string]any, len(tree)+1)
	for key, value := range tree {
		copied[key] = value
	}
	if o.Type == "remove" && len(steps) == 1 {
		delete(copied, step)
		return copied, nil
	}
	changed, err := o.at(child, steps[1:], optional)
	copied[step] = changed
	return copied, err
}

func (o operation) inList(list []any, step string, rest []string, optional bool) (any, error) {
	if step == "-" {
		if o.Type == "remove" || len(rest) > 0 {
			return nil, fmt.Errorf("- is for a new last element")
		}
		return append(slices.Clone(list), o.Value), nil
	}
	at, err := find(list, step)
	copied := slices.Clone(list)
	switch {
	case err == nil && o.Type == "remove" && len(rest) == 0:
		return slices.Delete(copied, at, at+1), nil
	case err == nil:
		copied[at], err = o.at(list[at], rest, optional)
		return copied, err
	case !optional || o.Type == "remove":
		return nil, err
	}
	key, value, _ := strings.Cut(step, "=")
	element, err := o.at(map[string]any{key: value}, rest, optional)
	return append(copied, element), err
}

// find gives the one element of a list that "key=value" or an index names.
func find(list []any, step string) (int, error) {
	key, value, named := strings.Cut(step, "=")
	if !named {
		at, err := strconv.Atoi(step)
		if err != nil || at < 0 || at >= len(list) {
			return 0, fmt.Errorf("%q is no element of the list", step)
		}
		return at, nil
	}
	var found []int
	for i, element := range list {
		if tree, isTree := element.(map[string]any); isTree && tree[key] == value {
			found = append(found, i)
		}
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("%d elements have %s", len(found), step)
	}
	return found[0], nil
}

var variable = regexp.MustCompile(`\(\(([a-z0-9_]+)((?:\.[a-z0-9_]+)*)\)\)`)

// variables gives the names of all variables in a document.
func variables(node any) []string {
	var all []string
	switch node := node.(type) {
	case string:
		for _, match := range variable.FindAllStringSubmatch(node, -1) {
			all = append(all, match[1])
		}
	case []any:
		for _, element := range node {
			all = append(all, variables(element)...)
		}
	case map[string]any:
		for _, value := range node {
			all = append(all, variables(value)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
