package manifest

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"mooring/model"
)

// strict refuses unknown fields. A key that is there twice is refused when the
// file is parsed; the decoder would also refuse one that overrides a merged one.
var strict = []yaml.DecodeOption{yaml.DisallowUnknownField(), yaml.AllowDuplicateMapKey()}

// reader reads one file and collects what is wrong with it.
type reader struct {
	file  string
	root  ast.Node
	found Problems
}

// read parses data into out, refusing fields that out does not have. It
// reports false when the YAML itself is wrong: nothing more can be said then.
func (r *reader) read(data []byte, out any) bool {
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		r.refuse(err)
		return false
	}
	if len(tree.Docs) > 0 {
		r.root = tree.Docs[0].Body
	}
	err = yaml.NewDecoder(strings.NewReader(string(data)), strict...).Decode(out)
	if err != nil && !errors.Is(err, io.EOF) { // an empty file lacks fields, no more
		r.refuse(err)
		return false
	}
	return true
}

// refuse notes an error of the YAML parser in our words.
func (r *reader) refuse(err error) {
	var wrong yaml.Error
	if !errors.As(err, &wrong) {
		r.found = append(r.found, Problem{File: r.file, What: err.Error()})
		return
	}
	what := wrong.GetMessage()
	var mismatch *yaml.TypeError
	var unexpected *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &unexpected):
		what = "a " + strings.ToLower(unexpected.Expected.YAMLName()) + " belongs here"
		if unexpected.Expected == ast.SequenceType {
			what = "a list belongs here"
		}
	case errors.As(err, &mismatch):
		what = "this does not belong here"
	}
	r.wrong(wrong.GetToken(), "", what)
}

func (r *reader) wrong(at *token.Token, where, what string) {
	problem := Problem{File: r.file, Where: where, What: what}
	if at != nil && at.Position != nil {
		problem.Line, problem.Column = at.Position.Line, at.Position.Column
	}
	r.found = append(r.found, problem)
}

// written gives the names of fields that are called otherwise in a file.
var written = strings.NewReplacer("lifecycle.on_stuck.after", "lifecycle.on_stuck.force_after")

// place notes the problems of a model value that was written at a path of the
// file, each where its field is, or where it should be. A value that could not
// be read has had its problem noted and is not blamed again.
func (r *reader) place(base string, err error) {
	var problems model.Problems
	if !errors.As(err, &problems) {
		return
	}
	for _, p := range problems {
		where := written.Replace(p.Where)
		at := r.locate(base + "." + where)
		if !r.noted(at, where) {
			r.wrong(at, where, p.What)
		}
	}
}

// noted reports whether something is known to be wrong with a field.
func (r *reader) noted(at *token.Token, where string) bool {
	return at != nil && slices.ContainsFunc(r.found, func(p Problem) bool {
		return p.Line == at.Position.Line && p.Column == at.Position.Column && p.Where == where
	})
}

// missing notes a field that has to be there.
func (r *reader) missing(base, where, what string) {
	r.wrong(r.locate(base+"."+where), where, "is missing; "+what)
}

var segment = regexp.MustCompile(`[^.\[\]]+`)

// locate finds the token of the field at a path such as
// "applications[0].lifecycle.drain", or of the nearest one above it.
func (r *reader) locate(path string) *token.Token {
	node := bare(r.root)
	if node == nil {
		return nil
	}
	at := first(node)
	for _, name := range segment.FindAllString(path, -1) {
		var below ast.Node
		switch n := node.(type) {
		case *ast.SequenceNode:
			if name[0] < '0' || name[0] > '9' {
				continue // a list that stands for a mapping with that field
			}
			below, at = element(n, name, at)
		case ast.MapNode:
			below, at = entry(n, name, at)
		}
		if below == nil {
			return at
		}
		node = bare(below)
	}
	return at
}

func element(n *ast.SequenceNode, name string, at *token.Token) (ast.Node, *token.Token) {
	for i, value := range n.Values {
		if name == itoa(i) {
			return value, first(value)
		}
	}
	return nil, at
}

func entry(n ast.MapNode, name string, at *token.Token) (ast.Node, *token.Token) {
	for each := n.MapRange(); each.Next(); {
		if each.Key().GetToken().Value != name {
			continue
		}
		if _, single := bare(each.Value()).(ast.ScalarNode); single {
			return each.Value(), first(each.Value())
		}
		return each.Value(), each.Key().GetToken()
	}
	return nil, at
}
