package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mooring/model"
)

type logsInput struct {
	NamePath
	Index  int  `path:"index" minimum:"0"`
	Lines  int  `query:"lines" minimum:"0" maximum:"100000" default:"100" doc:"How many of the last lines to begin with"`
	Follow bool `query:"follow" doc:"Keep the stream open for what comes"`
}

func (s *server) logRoutes(routes huma.API) {
	op := operation(http.MethodGet, "/v1/apps/{org}/{space}/{name}/instances/{index}/logs", "instance-logs", "The output of an instance, as text", "apps")
	op.Responses = map[string]*huma.Response{"200": {Description: "Lines", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	huma.Register(routes, op, s.instanceLogs)
}

// instanceLogs passes on what the agent of the instance's cell has.
func (s *server) instanceLogs(ctx context.Context, in *logsInput) (*huma.StreamResponse, error) {
	snap := s.store.Snapshot()
	app, err := appNamed(snap, in.name())
	if err != nil {
		return nil, err
	}
	name := model.InstanceName(app.Name, in.Index)
	inst := snap.Instance(app.GUID, in.Index)
	if inst == nil {
		return nil, notFound("there is no instance %s", name)
	}
	cell := snap.Cell(inst.CellID)
	if cell == nil {
		return nil, conflict("instance %s is on no cell yet%s", name, because(inst.Unplaced))
	}
	if cell.LogAddress == "" {
		return nil, conflict("cell %s serves no logs", cell.ID)
	}
	source, err := logsAt(cell, app.GUID, in)
	if err != nil {
		return nil, badGateway(cell, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, source.String(), nil)
	if err != nil {
		return nil, badGateway(cell, err)
	}
	request.Header.Set("Authorization", "Bearer "+cell.LogKey)
	response, err := s.logs.Do(request) //nolint:bodyclose // closed below, or when it has been passed on
	if err != nil {
		return nil, badGateway(cell, err)
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		said, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		if response.StatusCode == http.StatusNotFound {
			return nil, notFound("cell %s has no output of %s", cell.ID, name)
		}
		return nil, badGateway(cell, errors.New(model.BoundLine(response.Status+because(strings.TrimSpace(string(said))))))
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer response.Body.Close()
		out.SetHeader("Content-Type", "text/plain; charset=utf-8")
		out.SetHeader("Cache-Control", "no-store")
		copyFlushing(out.BodyWriter(), response.Body)
	}}, nil
}

// logsAt is where the agent of a cell has an instance's output: on the cell, or
// nowhere. What a cell says of itself is parsed, and never becomes part of a
// URL as it stands.
func logsAt(cell *model.Cell, appGUID string, in *logsInput) (*url.URL, error) {
	server, err := cell.LogServer()
	if err != nil {
		return nil, fmt.Errorf("its log_address %w", err)
	}
	query := url.Values{"lines": {strconv.Itoa(in.Lines)}, "follow": {strconv.FormatBool(in.Follow)}}
	at := &url.URL{Scheme: "http", Host: server.String(), RawQuery: query.Encode()}
	return at.JoinPath("logs", url.PathEscape(appGUID), strconv.Itoa(in.Index)), nil
}

// logClient calls agents for logs. It follows no redirect, since the key of a
// cell's log server is for that alone, and goes through no proxy.
func logClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{ResponseHeaderTimeout: 10 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func badGateway(cell *model.Cell, err error) error {
	return huma.NewError(http.StatusBadGateway, fmt.Sprintf("asking the agent of cell %s for its logs at %s: %v", cell.ID, cell.LogAddress, err))
}

// copyFlushing copies until either side ends, passing on each piece at once.
func copyFlushing(to io.Writer, from io.Reader) {
	flush := flusher(to)
	flush()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if _, gone := to.Write(buffer[:n]); gone != nil {
				return
			}
			flush()
		}
		if err != nil {
			return
		}
	}
}

// flusher gives what passes on to the client what was written so far.
func flusher(to io.Writer) func() {
	if writer, ok := to.(http.ResponseWriter); ok {
		control := http.NewResponseController(writer)
		return func() { _ = control.Flush() }
	}
	return func() {}
}
