package deployment

import "fmt"

// given is a part of a manifest, read as the Director reads one: with a check of
// the type, a default, and its words when something is missing.
type given map[string]any

// asGiven is a value that has to be a hash.
func asGiven(value any) given {
	tree, isTree := value.(map[string]any)
	if !isTree && value != nil {
		refuse("Object (%s) did not match the required type 'Hash'", inspected(value))
	}
	return tree
}

// need returns what has to be there.
func (g given) need(name string) any {
	value, there := g[name]
	if !there {
		refuse("Required property '%s' was not specified in object (%s)", name, inspected(map[string]any(g)))
	}
	return value
}

// typed returns a value that has to be of a type of ruby.
func typed[T any](name string, value any, kind string) T {
	typed, is := value.(T)
	if !is {
		refuse("Property '%s' value (%s) did not match the required type '%s'", name, inspected(value), kind)
	}
	return typed
}

// string returns a text that has to be there; a number will do.
func (g given) string(name string) string { return asText(name, g.need(name)) }

// stringOr returns a text, or another where none is.
func (g given) stringOr(name, otherwise string) string {
	if value, there := g[name]; there {
		return asText(name, value)
	}
	return otherwise
}

func asText(name string, value any) string {
	if isNumber(value) {
		return text(value)
	}
	return typed[string](name, value, "String")
}

func (g given) boolOr(name string, otherwise bool) bool {
	if value, there := g[name]; there {
		return typed[bool](name, value, "boolean")
	}
	return otherwise
}

func (g given) int(name string) int { return asInt(name, g.need(name)) }

func asInt(name string, value any) int {
	if class(value) != "Integer" {
		refuse("Property '%s' value (%s) did not match the required type 'Integer'", name, inspected(value))
	}
	var number int
	_, _ = fmt.Sscan(text(value), &number)
	return number
}

func (g given) list(name string) []any { return typed[[]any](name, g.need(name), "Array") }

func (g given) listOr(name string) []any {
	if _, there := g[name]; there {
		return g.list(name)
	}
	return nil
}

// tree returns a hash; nil where none is.
func (g given) tree(name string) given {
	if value, there := g[name]; there {
		return typed[map[string]any](name, value, "Hash")
	}
	return nil
}

func (g given) has(name string) bool {
	_, there := g[name]
	return there
}

// without refuses what this package does not do.
func (g given) without(where string, names ...string) {
	for _, name := range names {
		if g.has(name) {
			refuse("this fake Director does not know %s in %s; teach it, or leave it out", name, where)
		}
	}
}
