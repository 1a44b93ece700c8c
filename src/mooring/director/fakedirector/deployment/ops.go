package deployment

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Ops is an ops file.
type Ops = []Operation

// Operation is one entry of an ops file: replace or remove.
type Operation struct {
	Type  string
	Path  string
	Value any
	Error string
}

// ReadOps reads an ops file.
func ReadOps(path string) (Ops, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var ops Ops
	if err := yaml.UnmarshalWithOptions(data, &ops, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return ops, nil
}

// step is one part of a path.
type step struct {
	raw      string // as errors write it
	key      string // of a hash, or of the elements of a list
	value    string // that the one element has at the key
	matches  bool   // whether it is key=value
	isIndex  bool
	index    int
	end      bool // -
	optional bool
	mods     []string
}

// modifiers are what can follow an index, and their names in errors.
var modifiers = map[string]string{"prev": "patch.PrevModifier", "next": "patch.NextModifier", "before": "patch.BeforeModifier", "after": "patch.AfterModifier"}

// steps takes a path apart. What follows a ? is optional too.
func steps(path string) ([]step, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, saidf("Expected to start with '/'")
	}
	var all []step
	optional := false
	parts := strings.Split(path, "/")[1:]
	for i, raw := range parts {
		s, err := stepOf(raw, i == len(parts)-1)
		if err != nil {
			return nil, err
		}
		if optional { // says so already
			s.raw = strings.Replace(s.raw, "?", "", 1)
		}
		optional = optional || s.optional
		s.optional = optional
		all = append(all, s)
	}
	return all, nil
}

func stepOf(raw string, last bool) (step, error) {
	s := step{raw: raw}
	name, mods, modified := strings.Cut(raw, ":")
	if modified {
		s.mods = strings.Split(mods, ":")
	}
	for _, mod := range s.mods {
		if modifiers[mod] == "" {
			return s, saidf("Expected to find one of the following modifiers: 'prev', 'next', 'before', or 'after' but found '%s'", s.mods[0])
		}
	}
	name = strings.NewReplacer("~0", "~", "~1", "/", "~7", ":").Replace(name)
	number, err := strconv.Atoi(name)
	switch {
	case last && name == "-" && modified:
		return s, saidf("Expected not to find any modifiers with after last index token")
	case last && name == "-":
		s.end = true
	case err == nil:
		s.isIndex, s.index = true, number
	default:
		s.optional = strings.HasSuffix(name, "?")
		s.key, s.value, s.matches = strings.Cut(strings.TrimSuffix(name, "?"), "=")
		if modified && !s.matches {
			return s, saidf("Expected not to find any modifiers with key token")
		}
	}
	return s, nil
}

// Apply does what the operation says to a document, which it may change.
func (o Operation) Apply(document any) (any, error) {
	path, err := steps(o.Path)
	if err != nil {
		return nil, saidf("Invalid path: %v", err)
	}
	switch o.Type {
	case "replace":
		if o.Value == nil {
			return nil, saidf("Missing value")
		}
	case "remove":
		if o.Value != nil {
			return nil, saidf("Cannot specify value")
		}
	default:
		return nil, saidf("Unknown operation with type '%s'", o.Type)
	}
	changed, err := o.at(document, path, "")
	if err != nil && o.Error != "" {
		return nil, saidf("Error '%s': %v", o.Error, err)
	}
	return changed, err
}

// at does it to a part of the document: what is left of the path goes on from
// there, and done is how it was reached.
func (o Operation) at(node any, path []step, done string) (any, error) {
	if len(path) == 0 {
		return copied(o.Value), nil
	}
	s := path[0]
	done += "/" + s.raw
	if s.end && o.Type == "remove" {
		return nil, saidf("Expected to not find token 'patch.AfterLastIndexToken' at path '%s'", done)
	}
	if s.isIndex || s.end || s.matches {
		list, isList := node.([]any)
		if !isList {
			return nil, mismatch("an array", done, node)
		}
		return o.inList(list, s, path[1:], done)
	}
	tree, isTree := node.(map[string]any)
	if !isTree {
		return nil, mismatch("a map", done, node)
	}
	return o.inTree(tree, s, path[1:], done)
}

func (o Operation) inTree(tree map[string]any, s step, rest []step, done string) (any, error) {
	child, found := tree[s.key]
	switch {
	case !found && !s.optional:
		return nil, saidf("Expected to find a map key '%s' for path '%s' (%s)", s.key, done, siblings(tree))
	case o.Type == "remove" && !found:
		return tree, nil
	case o.Type == "remove" && len(rest) == 0:
		delete(tree, s.key)
		return tree, nil
	case !found && len(rest) > 0 && (rest[0].matches || rest[0].end):
		child = []any{}
	case !found && len(rest) > 0 && rest[0].isIndex:
		return nil, saidf("Expected to find key, matching index or after last index token at path '%s'", done+"/"+rest[0].raw)
	case !found:
		child = map[string]any{}
	}
	changed, err := o.at(child, rest, done)
	if err != nil {
		return nil, err
	}
	tree[s.key] = changed
	return tree, nil
}

func (o Operation) inList(list []any, s step, rest []step, done string) (any, error) {
	if s.end {
		return append(list, copied(o.Value)), nil
	}
	at := s.index
	if s.matches {
		var found []int
		for i, element := range list {
			if tree, isTree := element.(map[string]any); isTree && tree[s.key] == s.value {
				found = append(found, i)
			}
		}
		switch {
		case s.optional && len(found) == 0 && o.Type == "remove":
			return list, nil
		case s.optional && len(found) == 0:
			element, err := o.at(map[string]any{s.key: s.value}, rest, done)
			return append(list, element), err
		case len(found) != 1:
			return nil, saidf("Expected to find exactly one matching array item for path '%s' but found %d", done, len(found))
		}
		at = found[0]
	}
	return o.atIndex(list, at, s, rest, done)
}

// atIndex does it to the element of a list that an index and its modifiers mean.
func (o Operation) atIndex(list []any, at int, s step, rest []step, done string) (any, error) {
	insert := ""
	for _, mod := range s.mods {
		switch {
		case insert != "":
			return nil, saidf("Expected to not find any modifiers after '%s' modifier, but found modifier '%s'", insert, modifiers[mod])
		case mod == "prev":
			at--
		case mod == "next":
			at++
		case o.Type == "remove" || len(rest) > 0:
			return nil, saidf("Expected to find one of the following modifiers: 'prev', 'next', but found modifier '%s'", modifiers[mod])
		default:
			insert = mod
		}
	}
	if at >= len(list) || -at-1 >= len(list) {
		return nil, saidf("Expected to find array index '%d' but found array of length '%d' for path '%s'", at, len(list), done)
	}
	if at < 0 {
		at += len(list)
	}
	if insert != "" {
		if insert == "after" {
			at++
		}
		return slices.Insert(list, at, copied(o.Value)), nil
	}
	if o.Type == "remove" && len(rest) == 0 {
		return slices.Delete(list, at, at+1), nil
	}
	changed, err := o.at(list[at], rest, done)
	if err == nil {
		list[at] = changed
	}
	return list, err
}

func siblings(tree map[string]any) string {
	if len(tree) == 0 {
		return "found no other map keys"
	}
	return "found map keys: '" + strings.Join(sorted(tree), "', '") + "'"
}

func mismatch(wanted, path string, found any) error {
	kind := map[string]string{"Hash": "map[interface {}]interface {}", "Array": "[]interface {}", "NilClass": "<nil>", "String": "string",
		"Integer": "int", "Float": "float64", "TrueClass": "bool", "FalseClass": "bool"}[class(found)]
	return saidf("Expected to find %s at path '%s' but found '%s'", wanted, path, kind)
}
