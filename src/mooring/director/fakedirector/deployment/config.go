package deployment

import (
	"crypto/rand"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"time"
)

// ConfigServer keeps the values of variables and makes those that a manifest
// defines, as a CredHub does. Names are absolute: /director/deployment/name.
type ConfigServer struct {
	// Now is the clock for certificates; time.Now if nil.
	Now func() time.Time

	mu     sync.Mutex
	values map[string]any
	made   map[string]generated
}

// generated is what a value was made from.
type generated struct {
	kind    string
	options given
	ca      any // the value of the CA that signed
}

// NewConfigServer is one that has nothing yet.
func NewConfigServer() *ConfigServer {
	return &ConfigServer{values: map[string]any{}, made: map[string]generated{}}
}

// Set puts a value there, as an operator does.
func (c *ConfigServer) Set(name string, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[name] = copied(value)
	delete(c.made, name)
}

// Get returns a value, nil for none.
func (c *ConfigServer) Get(name string) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return copied(c.values[name])
}

// Generate makes a value, as an operator has it made: of the type certificate,
// password or user. A ca is named as the config server has it.
func (c *ConfigServer) Generate(name, kind string, options map[string]any) error {
	return caught(func() { c.generate(name, kind, "overwrite", options) })
}

// Delete forgets a value; a variable that is defined is then made anew.
func (c *ConfigServer) Delete(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.values, name)
	delete(c.made, name)
}

const noCredential = "The request could not be completed because the credential does not exist or you do not have sufficient authorization."

// fetch finds the value of /name or /name.key, in the Director's words if it is
// not there.
func (c *ConfigServer) fetch(name string) any {
	keys := strings.Split(name, ".")
	root := keys[0]
	value := c.Get(root)
	if value == nil {
		refuse("Failed to find variable '%s' from config server: HTTP Code '404', Error: '%s'", root, noCredential)
	}
	parent := root
	for _, key := range keys[1:] {
		tree, isTree := value.(map[string]any)
		if !isTree {
			refuse("Failed to fetch variable '%s' from config server: Expected parent '%s' to be a hash", root, parent)
		}
		var there bool
		if value, there = tree[key]; !there {
			refuse("Failed to fetch variable '%s' from config server: Expected parent '%s' hash to have key '%s'", root, parent, key)
		}
		parent += "." + key
	}
	return value
}

// generate makes a value, unless there is one that will do: any, or with
// converge one that was made from the same.
func (c *ConfigServer) generate(name, kind, mode string, options given) {
	c.mu.Lock()
	defer c.mu.Unlock()
	want := generated{kind: kind, options: options}
	if ca := options.stringOr("ca", ""); ca != "" {
		if want.ca = c.values[ca]; want.ca == nil {
			c.cannot(name, kind, 404, noCredential)
		}
	}
	was, ours := c.made[name]
	if _, there := c.values[name]; there && mode != "overwrite" && (mode != "converge" || ours && reflect.DeepEqual(was, want)) {
		return
	}
	c.values[name] = c.newValue(name, want)
	c.made[name] = want
}

func (c *ConfigServer) cannot(name, kind string, code int, why string) {
	refuse("Config Server failed to generate value for '%s' with type '%s'. HTTP Code '%d', Error: '%s'", name, kind, code, why)
}

func (c *ConfigServer) newValue(name string, want generated) any {
	switch want.kind {
	case "certificate":
		now := time.Now
		if c.Now != nil {
			now = c.Now
		}
		value, err := newCertificate(want.options, want.ca, now())
		if err != nil {
			c.cannot(name, want.kind, 400, err.Error())
		}
		return value
	case "password":
		return rand.Text()
	case "user":
		return map[string]any{"username": want.options.stringOr("username", rand.Text()), "password": rand.Text()}
	}
	c.cannot(name, want.kind, 400, "The request does not include a valid type. Valid values for generate include 'password', 'user', 'certificate', 'ssh' and 'rsa'.")
	return nil
}

// scope replaces variables by values with a config server, relative names being
// those of a deployment.
type scope struct {
	config *ConfigServer
	prefix string // /director/deployment/
}

func (s scope) absolute(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return s.prefix + name
}

var (
	placeholder     = regexp.MustCompile(`\(\(.*?\)\)`)
	placeholderName = regexp.MustCompile(`\A[a-zA-Z0-9_\-.!/]+\z`)
)

// values are those of all variables in a tree, by how they are written there.
func (s scope) values(node any) map[string]any {
	values := map[string]any{}
	var missing collected
	for _, written := range placeholders(node, nil) {
		if _, known := values[written]; known {
			continue
		}
		missing.add(caught(func() {
			name := strings.TrimSuffix(strings.TrimPrefix(written, "(("), "))")
			if !placeholderName.MatchString(name) {
				refuse("Variable name '%s' must only contain alphanumeric, underscores, dashes, or forward slash characters", name)
			}
			values[written] = s.config.fetch(s.absolute(strings.TrimPrefix(name, "!")))
		}))
	}
	if len(missing) > 0 {
		refuse("- %s", strings.Join(missing, "\n- "))
	}
	return values
}

func placeholders(node any, all []string) []string {
	switch node := node.(type) {
	case string:
		return append(all, placeholder.FindAllString(node, -1)...)
	case []any:
		for _, element := range node {
			all = placeholders(element, all)
		}
	case map[string]any:
		for _, key := range sorted(node) {
			all = placeholders(node[key], all)
			if strings.HasPrefix(key, "((") && placeholder.FindString(key) == key {
				all = append(all, key)
			}
		}
	}
	return all
}

// interpolated is a tree with values in the place of variables. A variable that
// is all of a text may have a value of any kind.
func (s scope) interpolated(node any) any {
	values := s.values(node)
	var wrong []string
	var walk func(node any) any
	walk = func(node any) any {
		switch node := node.(type) {
		case string:
			found := placeholder.FindAllString(node, -1)
			if len(found) == 1 && found[0] == node {
				return copied(values[node])
			}
			for _, written := range found {
				if kind := class(values[written]); kind != "String" && kind != "Integer" {
					wrong = append(wrong, fmt.Sprintf("- Failed to substitute variable: Can not replace '%s' in '%s'. The value should be a String or an Integer.", written, node))
				}
			}
			return placeholder.ReplaceAllStringFunc(node, func(written string) string { return text(values[written]) })
		case []any:
			list := make([]any, len(node))
			for i, element := range node {
				list[i] = walk(element)
			}
			return list
		case map[string]any:
			tree := make(map[string]any, len(node))
			for _, key := range sorted(node) {
				name := key
				if value, isVariable := values[key]; isVariable {
					name = text(value)
				}
				tree[name] = walk(node[key])
			}
			return tree
		}
		return node
	}
	result := walk(node)
	if len(wrong) > 0 {
		refuse("%s", strings.Join(wrong, "\n"))
	}
	return result
}

// interpolatedTree is interpolated for what has to be a hash.
func (s scope) interpolatedTree(node any) any {
	if class(node) != "Hash" {
		refuse("Unable to interpolate provided object. Expected a 'Hash', got '%s'", class(node))
	}
	return s.interpolated(node)
}
