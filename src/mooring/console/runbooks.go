package console

import (
	_ "embed"
	"html/template"
	"net/http"

	"mooring/runbook"
)

//go:embed runbook.html
var runbookHTML string

var runbookPage = template.Must(template.New("runbook").Parse(runbookHTML))

// runbook shows the page of one alert. Alerts and cards lead to it.
func (c *console) runbook(w http.ResponseWriter, r *http.Request) {
	page, err := runbook.Read(r.PathValue("name"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	confine(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	// A reader that went away cannot be told.
	_ = runbookPage.Execute(w, struct {
		Title string
		Body  template.HTML // our own pages, which are part of the executable
	}{page.Title, template.HTML(page.Body)})
}
