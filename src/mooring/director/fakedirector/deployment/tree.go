package deployment

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// copied is a tree that shares nothing with the first.
func copied(node any) any {
	switch node := node.(type) {
	case map[string]any:
		tree := make(map[string]any, len(node))
		for key, value := range node {
			tree[key] = copied(value)
		}
		return tree
	case []any:
		list := make([]any, len(node))
		for i, value := range node {
			list[i] = copied(value)
		}
		return list
	}
	return node
}

// put sets what a tree has at a name with dots, making hashes on the way.
func put(tree map[string]any, name string, value any) {
	parents := strings.Split(name, ".")
	for _, key := range parents[:len(parents)-1] {
		inner, isTree := tree[key].(map[string]any)
		if !isTree {
			inner = map[string]any{}
			tree[key] = inner
		}
		tree = inner
	}
	tree[parents[len(parents)-1]] = value
}

// class is the class that a value has in ruby.
func class(value any) string {
	switch value := value.(type) {
	case nil:
		return "NilClass"
	case string:
		return "String"
	case bool:
		return map[bool]string{true: "TrueClass", false: "FalseClass"}[value]
	case float32, float64:
		return "Float"
	case []any:
		return "Array"
	case map[string]any:
		return "Hash"
	}
	return "Integer"
}

// isNumber reports whether a value is a number, of any kind.
func isNumber(value any) bool { return class(value) == "Integer" || class(value) == "Float" }

// inspected is a value as ruby's inspect writes it.
func inspected(value any) string {
	switch value := value.(type) {
	case nil:
		return "nil"
	case string:
		return strconv.Quote(value)
	case []any:
		var all []string
		for _, element := range value {
			all = append(all, inspected(element))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case map[string]any:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(value)) {
			all = append(all, inspected(key)+"=>"+inspected(value[key]))
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	return text(value)
}

// text is a value as ruby's to_s writes it.
func text(value any) string {
	if number, isFloat := value.(float64); isFloat {
		written := strconv.FormatFloat(number, 'g', -1, 64)
		if !strings.ContainsAny(written, ".e") {
			written += ".0"
		}
		return written
	}
	return fmt.Sprint(value)
}

// forRuby is a tree in which what ruby reads as a Float stays one.
func forRuby(node any) any {
	switch node := node.(type) {
	case map[string]any:
		tree := make(map[string]any, len(node))
		for key, value := range node {
			tree[key] = forRuby(value)
		}
		return tree
	case []any:
		list := make([]any, len(node))
		for i, value := range node {
			list[i] = forRuby(value)
		}
		return list
	case float64:
		return json.Number(text(node))
	}
	return node
}

// noKey is what ruby says when a value is asked for a key and is no hash.
func noKey(value any) string {
	return fmt.Sprintf("undefined method `key?' for %s:%s", inspected(value), class(value))
}

func sorted[V any](tree map[string]V) []string { return slices.Sorted(maps.Keys(tree)) }
