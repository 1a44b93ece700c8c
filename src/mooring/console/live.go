package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"mooring/model"
)

const (
	// beat is how often a stream says that it is alive. The page calls itself
	// stale when it has heard nothing for a few of them.
	beat = time.Second
	// sendWithin is how long a reader may take to take one message.
	sendWithin = 20 * time.Second
)

// live streams the board: whole first, then what changed.
func (c *console) live(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies that would gather it
	leave := c.hub.join()
	defer leave()
	heart := time.NewTicker(beat)
	defer heart.Stop()
	var sent *encoded
	for {
		board, changed := c.hub.board()
		if board != nil && board != sent {
			m, differs := board.changes(sent, func(app model.Name) bool { return c.mayRead(r, app) })
			if differs {
				m.MayAct = c.mayAct(r)
				if c.send(w, "board", m) != nil {
					return // the reader comes back if it wants to
				}
			}
			sent = board
		}
		select {
		case <-changed:
		case <-heart.C:
			if err := c.failed(); err != nil {
				// Saying so is not enough: another node may do better.
				_ = c.send(w, "failed", map[string]string{"error": err.Error()})
				return
			}
			said := struct {
				At       time.Time `json:"at"`
				Revision int64     `json:"revision"`
			}{At: c.now()}
			if sent != nil {
				said.Revision = sent.revision
			}
			if c.send(w, "beat", said) != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

func (c *console) send(w http.ResponseWriter, event string, content any) error {
	if m, ok := content.(*message); ok {
		m.At = c.now()
	}
	data, err := json.Marshal(content)
	if err != nil {
		return err
	}
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(sendWithin)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, data); err != nil {
		return err
	}
	return control.Flush()
}
