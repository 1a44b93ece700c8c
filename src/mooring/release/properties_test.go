package release

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/director/fakedirector/deployment"
	"mooring/placement"
)

var (
	// anyUse is p('x') or if_p('x', 'y') of anything; linkUse is one of a link.
	anyUse  = regexp.MustCompile(`\b(?:if_p|p|else_if_p)\(([^)]*)\)`)
	linkUse = regexp.MustCompile(`link\('([a-z-]+)'\)\.(?:if_p|p)\(([^)]*)\)`)
	quoted  = regexp.MustCompile(`['"]([a-z_.]+)['"]`)
)

// uses gives the properties that templates read: the job's own, and those of
// links by name.
func uses(j *deployment.Job) (own []string, linked map[string][]string) {
	linked = make(map[string][]string)
	for _, text := range sources(j) {
		for _, use := range linkUse.FindAllStringSubmatch(text, -1) {
			linked[use[1]] = append(linked[use[1]], names(use[2])...)
		}
		for _, use := range anyUse.FindAllStringSubmatch(linkUse.ReplaceAllString(text, ""), -1) {
			own = append(own, names(use[1])...)
		}
	}
	return own, linked
}

func names(arguments string) []string {
	var all []string
	for _, name := range quoted.FindAllStringSubmatch(arguments, -1) {
		all = append(all, name[1])
	}
	return all
}

func TestPropertiesAreDeclaredAndUsed(t *testing.T) {
	all := jobs(t)
	for name, j := range all {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(j.Name).To(Equal(name))
			own, linked := uses(j)
			declared := sorted(j.Properties)
			for _, property := range own {
				g.Expect(declared).To(ContainElement(property), "a template reads it, and the spec does not declare it")
			}
			for _, property := range declared {
				g.Expect(own).To(ContainElement(property), "the spec declares it, and no template reads it")
			}
			for _, wanted := range j.Consumes {
				g.Expect(linked).To(Or(HaveKey(wanted.Name), WithTransform(func(any) bool { return reads(j, wanted.Name) }, BeTrue())),
					"the spec consumes %s, and no template reads it", wanted.Name)
			}
			for from, properties := range linked {
				g.Expect(slices.ContainsFunc(j.Consumes, func(c deployment.Consumer) bool { return c.Name == from })).To(BeTrue(), "a template reads the link %s, and the spec does not consume it", from)
				for _, property := range properties {
					g.Expect(shares(all[from], from)).To(ContainElement(property), "a template reads it from the link %s, which does not share it", from)
				}
			}
		})
	}
}

func reads(j *deployment.Job, link string) bool {
	for _, text := range sources(j) {
		if strings.Contains(text, " link('"+link+"')") {
			return true
		}
	}
	return false
}

func TestPropertiesAreDescribed(t *testing.T) {
	for name, j := range jobs(t) {
		for property, spec := range j.Properties {
			g := NewWithT(t)
			g.Expect(spec.Description).To(HaveSuffix("."), "%s: %s", name, property)
			g.Expect(spec.Example).NotTo(BeNil(), "%s: %s has no example", name, property)
			g.Expect(property).NotTo(HavePrefix(strings.ReplaceAll(name, "-", "_")+"."), "%s: the job's name is no prefix of its properties", name)
		}
	}
}

// Values reach files by to_json alone, so that none of them can be read as
// something else; and only files that are not run are made from values. PEM
// and secrets have no other form.
func TestValuesAreWrittenAsJSON(t *testing.T) {
	output := regexp.MustCompile(`<%=(.*?)-?%>`)
	for name, j := range jobs(t) {
		for path, text := range sources(j) {
			g := NewWithT(t)
			if isScript(path) || path == "monit" {
				g.Expect(text).NotTo(ContainSubstring("<%"), "%s: %s", name, path)
			}
			for _, value := range output.FindAllStringSubmatch(text, -1) {
				if !strings.HasSuffix(path, ".pem") && !strings.HasSuffix(path, "_secret") {
					g.Expect(strings.TrimSpace(value[1])).To(HaveSuffix(".to_json"), "%s: %s", name, path)
				}
			}
		}
	}
}

// The page of all properties is made from the specs.
func TestThePageOfAllProperties(t *testing.T) {
	var page strings.Builder
	page.WriteString("# Properties of the BOSH jobs\n\nMade from `jobs/*/spec`; a test keeps it so. Properties without a default and\nnot described as optional have to be given.\n")
	all := jobs(t)
	for _, name := range sorted(all) {
		j := all[name]
		fmt.Fprintf(&page, "\n## %s\n", name)
		for _, p := range j.Provides {
			fmt.Fprintf(&page, "\nProvides the link `%s` of type `%s` with `%s`.\n", p.Name, p.Type, strings.Join(p.Properties, "`, `"))
		}
		for _, c := range j.Consumes {
			fmt.Fprintf(&page, "\nConsumes the link `%s` of type `%s`.\n", c.Name, c.Type)
		}
		page.WriteString("\n| property | what | default | example |\n| --- | --- | --- | --- |\n")
		for _, property := range sorted(j.Properties) {
			p := j.Properties[property]
			fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", property, strings.ReplaceAll(p.Description, "|", "\\|"), asCode(t, p.Default), asCode(t, p.Example))
		}
	}
	golden(t, "docs/bosh-properties.md", page.String())
}

func asCode(t *testing.T, value any) string {
	if value == nil {
		return ""
	}
	if text, plain := value.(string); plain {
		return "`" + text + "`"
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return "`" + string(text) + "`"
}

func TestTheJobsDefaultNumberOfUpdateDomainsIsTheMeasuredOne(t *testing.T) {
	NewWithT(t).Expect(jobs(t)["scheduler"].Properties["update_domains.count"].Default).To(BeNumerically("==", placement.DefaultDomains))
}
