package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"mooring/model"
	"mooring/state"
)

const (
	// reportPace is the least time between two reports of one cell that this node
	// takes. An agent sends one at a time, and those that come faster wait.
	reportPace = 20 * time.Millisecond
	// maxReporting bounds how many reports of one cell wait for their turn. An
	// agent has one under way, and may have given up on a few before it.
	maxReporting = 8
)

// reportQueues has the reports of each cell come one after the other.
type reportQueues struct {
	mu    sync.Mutex
	cells map[string]*reportQueue
}

// reportQueue is that of one cell.
type reportQueue struct {
	waiting int // for it, and the one that has it
	busy    chan struct{}
	pace    pace
}

// take waits for a cell's turn and returns what ends it. It is not ok when too
// many wait already, or done is closed before.
func (t *reportQueues) take(ctx huma.Context, cellID string) (end func(), ok bool) {
	t.mu.Lock()
	if t.cells == nil {
		t.cells = map[string]*reportQueue{}
	}
	mine := t.cells[cellID]
	if mine == nil {
		mine = &reportQueue{busy: make(chan struct{}, 1), pace: pace{least: reportPace}}
		t.cells[cellID] = mine
	}
	full := mine.waiting >= maxReporting
	if !full {
		mine.waiting++
	}
	t.mu.Unlock()
	if full {
		return nil, false
	}
	leave := func() {
		t.mu.Lock()
		mine.waiting--
		t.mu.Unlock()
	}
	select {
	case mine.busy <- struct{}{}:
	case <-ctx.Context().Done():
		leave()
		return nil, false
	}
	end = func() { <-mine.busy; leave() }
	if mine.pace.wait(ctx.Context()) != nil {
		end()
		return nil, false
	}
	return end, true
}

// receiveReport takes the reports of each cell in turn, and keeps why one was
// refused where people see it: the agent itself cannot report that.
func (s *server) receiveReport(ctx huma.Context, next func(huma.Context)) {
	cellID := ctx.Param("id")
	end, ok := s.reports.take(ctx, cellID)
	if !ok {
		refuse(ctx, http.StatusTooManyRequests, fmt.Sprintf("%d reports of cell %s wait already; send one at a time", maxReporting, cellID))
		return
	}
	defer end()
	s.keepWhyRefused(ctx, next)
}

// keepWhyRefused keeps why what an agent said was refused.
func (s *server) keepWhyRefused(ctx huma.Context, next func(huma.Context)) {
	answered := &overheard{request: ctx}
	next(answered)
	if status := ctx.Status(); status >= 400 && status < 500 && status != http.StatusNotFound && status != http.StatusConflict {
		s.keepRefusal(ctx, ctx.Param("id"), answered.why(status))
	}
}

// keepRefusal keeps why a cell's report was refused. It is kept once: an agent
// that goes on sending the same changes nothing.
func (s *server) keepRefusal(ctx huma.Context, cellID, why string) {
	_, err := s.change(ctx.Context(), func(snap *state.Snapshot) (*state.Txn, error) {
		cell := snap.Cell(cellID)
		if cell == nil || cell.Refused == why {
			return nil, nil
		}
		refused := *cell
		refused.Refused = why
		tx := snap.Txn()
		tx.Put(&refused)
		return tx, nil
	})
	if err != nil {
		s.logger.Error("cannot keep why a report was refused", "cell", cellID, "why", why, "error", err)
	}
}

// request has another name than its method Context.
type request = huma.Context

// overheard is a request whose answer is kept while it is written, as far as
// people need it.
type overheard struct {
	request
	said bytes.Buffer
}

// maxOverheard bounds what is kept of an answer.
const maxOverheard = 16 << 10

// BodyWriter implements huma.Context.
func (o *overheard) BodyWriter() io.Writer {
	return io.MultiWriter(o.request.BodyWriter(), &upTo{&o.said, maxOverheard})
}

// upTo keeps the beginning of what is written.
type upTo struct {
	kept  *bytes.Buffer
	limit int
}

// Write implements io.Writer and never fails.
func (u *upTo) Write(p []byte) (int, error) {
	u.kept.Write(p[:min(len(p), max(0, u.limit-u.kept.Len()))])
	return len(p), nil
}

// why is the refusal in one line. It names fields and what is wrong with them.
func (o *overheard) why(status int) string {
	var said huma.ErrorModel
	if json.Unmarshal(o.said.Bytes(), &said) != nil || said.Detail == "" {
		return http.StatusText(status)
	}
	text := said.Detail
	for i, fault := range said.Errors {
		if i == maxFaults {
			text += fmt.Sprintf("; and %d more", len(said.Errors)-i)
			break
		}
		text += "; " + fault.Location + ": " + fault.Message
	}
	return model.Shorten(model.Printable(text), model.MaxText)
}

// maxFaults bounds how many faults of a report people are told.
const maxFaults = 3

// refuse writes an answer that is a refusal.
func refuse(ctx huma.Context, status int, detail string) {
	ctx.SetStatus(status)
	ctx.SetHeader("Content-Type", "application/problem+json")
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(&huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail})
}
