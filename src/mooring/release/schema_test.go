package release

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// schema is the part of JSON Schema that properties_schema.json files here use.
// Directors since 280.1.22 check properties against it before they render
// anything; older ones, and older versions of bosh, pass the file over.
type schema struct {
	Dialect    string             `json:"$schema"`
	Type       kinds              `json:"type"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
	Enum       []any              `json:"enum"`
	Pattern    string             `json:"pattern"`
	Minimum    *float64           `json:"minimum"`
	Maximum    *float64           `json:"maximum"`
}

// kinds are one type, or several of which one will do.
type kinds []string

func (k *kinds) UnmarshalJSON(text []byte) error {
	if text[0] == '[' {
		return json.Unmarshal(text, (*[]string)(k))
	}
	*k = kinds{""}
	return json.Unmarshal(text, &(*k)[0])
}

// schemas reads the schemas of all jobs that have one.
func schemas(t *testing.T) map[string]*schema {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(top, "jobs", "*", "properties_schema.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no schemas found: %v", err)
	}
	all := make(map[string]*schema)
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(file)
		// What is not checked here must not be relied on there.
		decoder.DisallowUnknownFields()
		s := &schema{}
		if err := decoder.Decode(s); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		_ = file.Close()
		all[filepath.Base(filepath.Dir(path))] = s
	}
	return all
}

// check says in what a value, as encoding/json reads it, differs from the schema.
func (s *schema) check(at string, value any) []string {
	kind := map[reflect.Kind]string{reflect.Invalid: "null", reflect.Bool: "boolean", reflect.Float64: "number",
		reflect.String: "string", reflect.Slice: "array", reflect.Map: "object"}[reflect.ValueOf(value).Kind()]
	number, isNumber := value.(float64)
	if isNumber && number == float64(int64(number)) {
		kind = "integer"
	}
	if len(s.Type) > 0 && !slices.Contains(s.Type, kind) {
		return []string{fmt.Sprintf("%s is not %s", at, strings.Join(s.Type, " or "))}
	}
	var wrong []string
	if s.Enum != nil && !slices.Contains(s.Enum, value) {
		wrong = append(wrong, fmt.Sprintf("%s is none of %v", at, s.Enum))
	}
	if text, isText := value.(string); isText && s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(text) {
		wrong = append(wrong, fmt.Sprintf("%s does not match %s", at, s.Pattern))
	}
	if isNumber && (s.Minimum != nil && number < *s.Minimum || s.Maximum != nil && number > *s.Maximum) {
		wrong = append(wrong, at+" is out of range")
	}
	if list, isList := value.([]any); isList && s.Items != nil {
		for i, element := range list {
			wrong = append(wrong, s.Items.check(fmt.Sprintf("%s/%d", at, i), element)...)
		}
	}
	if tree, isTree := value.(map[string]any); isTree {
		for _, name := range s.Required {
			if _, there := tree[name]; !there {
				wrong = append(wrong, at+"/"+name+" is missing")
			}
		}
		for name, inner := range s.Properties {
			if element, there := tree[name]; there {
				wrong = append(wrong, inner.check(at+"/"+name, element)...)
			}
		}
	}
	return wrong
}

// asJSON returns a value as encoding/json reads it.
func asJSON(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var read any
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// set sets what a tree has at a name with dots.
func set(tree map[string]any, name string, value any) {
	keys := strings.Split(name, ".")
	for _, key := range keys[:len(keys)-1] {
		if tree[key] == nil {
			tree[key] = make(map[string]any)
		}
		tree = tree[key].(map[string]any)
	}
	tree[keys[len(keys)-1]] = value
}

// named returns the names, with dots, of what a schema says about.
func (s *schema) named(prefix string) []string {
	if len(s.Properties) == 0 {
		return []string{prefix}
	}
	var all []string
	for name, inner := range s.Properties {
		all = append(all, inner.named(strings.TrimPrefix(prefix+"."+name, "."))...)
	}
	return all
}

func TestSchemasFitTheProperties(t *testing.T) {
	rendered := renderEverything(t)
	all := jobs(t)
	for name, s := range schemas(t) {
		g := NewWithT(t)
		j := all[name]
		g.Expect(s.Dialect).To(Equal("https://json-schema.org/draft/2020-12/schema"), "the one that the Director knows")
		for _, property := range sorted(j.Properties) {
			g.Expect(s.named("")).To(ContainElement(Or(Equal(property), HavePrefix(property+"."))),
				"jobs/%s/properties_schema.json says nothing about it", name)
		}
		for _, leaf := range s.named("") {
			known := slices.ContainsFunc(sorted(j.Properties), func(property string) bool { return leaf == property || strings.HasPrefix(leaf, property+".") })
			g.Expect(known).To(BeTrue(), "jobs/%s/properties_schema.json is about %s, which the spec does not declare", name, leaf)
		}
		examples := make(map[string]any)
		for property, p := range j.Properties {
			set(examples, property, p.Example)
		}
		for what, properties := range map[string]map[string]any{
			"as the manifest has it": rendered[name]["defaults"].Properties,
			"with everything":        rendered[name]["everything"].Properties,
			"as in the examples":     examples,
		} {
			g.Expect(s.check(name, asJSON(t, properties))).To(BeEmpty(), what)
		}
	}
}

func TestSchemasRefuseWrongTypes(t *testing.T) {
	rendered := renderEverything(t)
	all := schemas(t)
	for _, row := range []struct {
		job, property string
		value         any
		says          string
	}{
		{"api", "port", "7770", "api/port is not integer"},
		{"api", "lease_ttl", 10, "api/lease_ttl is not string"},
		{"api", "lease_ttl", "soon", "api/lease_ttl does not match"},
		{"api", "tls.certificate", nil, "api/tls/certificate is not string"},
		{"api", "director.url", "10.0.0.6", "api/director/url does not match"},
		{"etcd", "log_level", "loud", "etcd/log_level is none of"},
		{"etcd", "peer_port", 70000, "etcd/peer_port is out of range"},
		{"orchestrator", "events.keep", -1, "orchestrator/events/keep is out of range"},
		{"orchestrator", "alerts.routes", []any{map[string]any{}}, "orchestrator/alerts/routes/0/receivers is missing"},
		{"scheduler", "update_domains.count", 0, "scheduler/update_domains/count is out of range"},
		{"cell", "update_domains.count", 1.5, "cell/update_domains/count is not integer or null"},
		{"cell", "path", []any{"bin"}, "cell/path/0 does not match"},
		{"volume-manager", "persistent.enabled", "yes", "volume-manager/persistent/enabled is not boolean"},
		{"volume-manager", "shared", []any{map[string]any{"name": "nfs", "root": "/x"}}, "volume-manager/shared/0/capacity is missing"},
		{"smoke-tests", "timeout", "5m", "smoke-tests/timeout is not integer"},
		{"roll-cells", "plan", map[string]any{"name": "x", "cells": "all", "action": "explode"}, "roll-cells/plan/action is none of"},
	} {
		properties := asJSON(t, rendered[row.job]["defaults"].Properties).(map[string]any)
		set(properties, row.property, row.value)
		wrong := all[row.job].check(row.job, asJSON(t, properties))
		NewWithT(t).Expect(wrong).To(ConsistOf(HavePrefix(row.says)))
	}
}
