// Package runbook holds one page for each alert: what it means, where to look
// and what to do. The pages are Markdown, in the directory pages, and part of
// the executable, so that an alert can lead to the page of the version that
// raised it.
package runbook

import (
	"bytes"
	"embed"
	"fmt"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

//go:embed pages/*.md
var pages embed.FS

// Page is one runbook as a browser shows it.
type Page struct {
	Title string
	// Body is HTML, without the title. It holds nothing but what is in pages.
	Body string
}

var markdown = goldmark.New(goldmark.WithExtensions(extension.Table))

// Read gives the page of an alert, such as "handler-hung". The error says so
// when there is none.
func Read(name string) (*Page, error) {
	content, err := pages.ReadFile("pages/" + name + ".md")
	if err != nil {
		return nil, fmt.Errorf("there is no runbook %q", name)
	}
	title, rest, _ := bytes.Cut(content, []byte("\n"))
	var body bytes.Buffer
	if err := markdown.Convert(rest, &body); err != nil {
		return nil, fmt.Errorf("runbook %s: %w", name, err)
	}
	return &Page{Title: string(bytes.TrimPrefix(title, []byte("# "))), Body: body.String()}, nil
}
