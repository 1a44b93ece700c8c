package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	ucli "github.com/urfave/cli/v2"

	"mooring/cli"
)

// code is what a page shows as code: fenced blocks and spans.
var code = regexp.MustCompile("(?ms)^```.*?^```|`[^`]+`")

// called is a call of moor with its arguments, as far as the shell goes on to
// something else. A call may go on in the next line of a span.
var called = regexp.MustCompile(`(?:^|[\s;|&("'/` + "`" + `])moor\s([^|;&<>#()'"` + "`" + `\n]*)`)

// calls gives the words of every call of moor on a page.
func calls(page string) (all [][]string) {
	for _, text := range code.FindAllString(page, -1) {
		if !strings.HasPrefix(text, "```") {
			text = strings.ReplaceAll(text, "\n", " ")
		}
		text = strings.ReplaceAll(text, "\\\n", " ")
		text = regexp.MustCompile(`"[^"\n]*"|'[^'\n]*'`).ReplaceAllStringFunc(text, func(quoted string) string {
			if strings.Contains(quoted, "moor ") {
				return quoted // a command for another shell
			}
			return "TEXT"
		})
		for _, call := range called.FindAllStringSubmatch(text, -1) {
			all = append(all, strings.Fields(call[1]))
		}
	}
	return all
}

// misuse says what of a call does not exist, "" when all of it does.
func misuse(app *ucli.App, words []string) string {
	if len(words) == 0 {
		return "" // it speaks of the program
	}
	commands, flags, path := app.Commands, app.Flags, "moor"
	for i, word := range words {
		if strings.HasPrefix(word, "-") && strings.Trim(word, "-") != "" {
			name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
			has := func(f ucli.Flag) bool { return slices.Contains(f.Names(), name) }
			if name != "help" && name != "version" && !slices.ContainsFunc(flags, has) && !slices.ContainsFunc(app.Flags, has) {
				return fmt.Sprintf("%s has no flag --%s", path, name)
			}
			continue
		}
		at := slices.IndexFunc(commands, func(c *ucli.Command) bool { return c.HasName(word) })
		switch {
		case at >= 0:
			path += " " + word
			flags, commands = commands[at].Flags, commands[at].Subcommands
		case i == 0:
			return fmt.Sprintf("there is no command moor %s", word)
		}
	}
	return ""
}

// What the documentation shows of moor exists, also where nobody runs it.
func TestTheDocumentationNamesCommandsAndFlagsThatExist(t *testing.T) {
	app := cli.New(commands()...)
	checked := 0
	for _, pattern := range []string{"../../../../README.md", "../../../../docs/*.md", "../../runbook/pages/*.md"} {
		pages, err := filepath.Glob(pattern)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(pages).NotTo(BeEmpty(), pattern)
		for _, page := range pages {
			content, err := os.ReadFile(page)
			NewWithT(t).Expect(err).NotTo(HaveOccurred())
			for _, words := range calls(string(content)) {
				checked++
				if wrong := misuse(app, words); wrong != "" {
					t.Errorf("%s shows moor %s, but %s", filepath.Base(page), strings.Join(words, " "), wrong)
				}
			}
		}
	}
	NewWithT(t).Expect(checked).To(BeNumerically(">", 100), "calls were found")
}

// Every block of code says what it is written in, so that what it holds can be
// checked.
func TestBlocksOfCodeNameTheirLanguage(t *testing.T) {
	pages, err := filepath.Glob("../../../../docs/*.md")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for _, page := range append(pages, "../../../../README.md") {
		content, err := os.ReadFile(page)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		open := false
		for i, line := range strings.Split(string(content), "\n") {
			if !strings.HasPrefix(line, "```") {
				continue
			}
			if open = !open; open && !slices.Contains([]string{"console", "json", "sh", "text", "yaml"}, line[3:]) {
				t.Errorf("%s:%d: a block of %q; name its language", filepath.Base(page), i+1, line[3:])
			}
		}
	}
}

func TestWhatDoesNotExistIsFoundOut(t *testing.T) {
	g, app := NewWithT(t), cli.New(commands()...)
	wrong := func(page string) (all []string) {
		for _, words := range calls(page) {
			if text := misuse(app, words); text != "" {
				all = append(all, text)
			}
		}
		return all
	}
	g.Expect(wrong("`moor explode` and moor bursts, `moor why X` and `moor pause\nPLAN --loud --reason \"because; so\"`")).To(ConsistOf(
		"there is no command moor explode", "moor pause has no flag --loud"))
	g.Expect(wrong("```sh\nbosh ssh -c 'moor stuck --nice' | grep --color x\nmoor gate leave --json && moor cells --jsom \\\n  --all\n```\n")).To(ConsistOf(
		"moor stuck has no flag --nice", "moor gate leave has no flag --json", "moor cells has no flag --jsom"))
}
