package manifest

import (
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// scalar is a single value as it was written, with its place, so that what is
// wrong with it can be said there. The zero value was left out.
type scalar struct {
	text  string
	token *token.Token
}

// given reports whether the field is in the file.
func (s scalar) given() bool { return s.token != nil }

// UnmarshalYAML takes any single value: text, a number, true or false.
func (s *scalar) UnmarshalYAML(node ast.Node) error {
	node = bare(node)
	switch value := node.(type) {
	case *ast.LiteralNode:
		s.text, s.token = value.Value.Value, value.GetToken()
		return nil
	case ast.ScalarNode:
		s.text, s.token = node.GetToken().Value, node.GetToken()
		return nil
	}
	return &yaml.SyntaxError{Message: "a single value belongs here", Token: first(node)}
}

// scalars is a list of values; a single one may stand for a list of one.
type scalars []scalar

// UnmarshalYAML takes a sequence of single values, or one.
func (s *scalars) UnmarshalYAML(node ast.Node) error {
	sequence, ok := bare(node).(*ast.SequenceNode)
	if !ok {
		*s = make(scalars, 1)
		return (*s)[0].UnmarshalYAML(node)
	}
	*s = make(scalars, len(sequence.Values))
	for i, value := range sequence.Values {
		if err := (*s)[i].UnmarshalYAML(value); err != nil {
			return err
		}
	}
	return nil
}

func (s scalars) texts() []string {
	var texts []string
	for _, value := range s {
		texts = append(texts, value.text)
	}
	return texts
}

// bare takes anchors and tags off a node.
func bare(node ast.Node) ast.Node {
	for {
		switch wrapped := node.(type) {
		case *ast.AnchorNode:
			node = wrapped.Value
		case *ast.TagNode:
			node = wrapped.Value
		default:
			return node
		}
	}
}

// first gives the token a node begins with.
func first(node ast.Node) *token.Token {
	switch n := bare(node).(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	case *ast.SequenceNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return first(n.Values[0])
		}
	}
	return node.GetToken()
}
