package fleet

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// PathError is what is wrong with a fleet file, and where.
type PathError struct {
	Path string // as in "apps[3].cells[0]"; "" for the whole file
	Err  error
}

func (e *PathError) Error() string {
	path := e.Path
	if path == "" {
		path = "$"
	}
	return "fleet: " + path + ": " + e.Err.Error()
}

func (e *PathError) Unwrap() error { return e.Err }

func wrong(path, format string, args ...any) error {
	return &PathError{path, fmt.Errorf(format, args...)}
}

// path writes a pointer as in "apps[3].cells[0]" or `rolls["c2"]`.
func path(at jsontext.Pointer) string {
	var path strings.Builder
	parent := ""
	for name := range at.Tokens() {
		switch {
		case parent == "rolls" || parent == "estimates":
			fmt.Fprintf(&path, "[%q]", name)
		case isIndex(name):
			path.WriteString("[" + name + "]")
		default:
			if path.Len() > 0 {
				path.WriteByte('.')
			}
			path.WriteString(name)
		}
		parent = name
	}
	return path.String()
}

// shape is a path without what tells the entries of a list apart.
func shape(at jsontext.Pointer) string {
	var shape strings.Builder
	for name := range at.Tokens() {
		if isIndex(name) {
			name = ""
		}
		shape.WriteString("/" + name)
	}
	return shape.String()
}

func isIndex(name string) bool { return name != "" && strings.Trim(name, "0123456789") == "" }

// kinds are the kinds of values in words.
var kinds = map[jsontext.Kind]string{
	'n': "null", 't': "true or false", 'f': "true or false",
	'"': "a string", '0': "a number", '[': "a list", '{': "an object",
}

// belongs is what is read as a Go type, in words.
var belongs = map[reflect.Kind]string{
	reflect.String: "a string", reflect.Bool: "true or false", reflect.Float64: "a number of seconds",
	reflect.Slice: "a list", reflect.Map: "an object",
}

// misread gives an error of reading as a *PathError.
func misread(err error) error {
	var found *PathError
	var syntax *jsontext.SyntacticError
	var value *json.SemanticError
	switch {
	case errors.As(err, &found):
		return found
	case errors.As(err, &syntax):
		at := path(syntax.JSONPointer)
		switch {
		case errors.Is(err, jsontext.ErrDuplicateName):
			return wrong(at, "it is there twice")
		case errors.Is(err, io.ErrUnexpectedEOF):
			return wrong(at, "the file ends here, at byte %d: it is truncated", syntax.ByteOffset)
		}
		return wrong(at, "this is no JSON, at byte %d: %w", syntax.ByteOffset, syntax.Err)
	case !errors.As(err, &value):
		return wrong("", "%w", err)
	case value.Err == nil:
		return wrong(path(value.JSONPointer), "%s where %s belongs", kinds[value.JSONKind], belongs[value.GoType.Kind()])
	}
	return wrong(path(value.JSONPointer), "%s: %w", value.JSONValue, value.Err)
}
