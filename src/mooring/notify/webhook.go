package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"mooring/model"
)

// SignatureHeader holds "sha256=" and, in hexadecimal, the HMAC-SHA256 of the
// body under the secret of the webhook.
const SignatureHeader = "Mooring-Signature"

// webhook posts each notice as a CloudEvent in structured mode.
type webhook struct {
	url    string
	secret []byte
	client *http.Client
	board  board
}

// CloudEvent is what a webhook is sent. ID stays the same when it is sent
// again: a webhook that has seen it may answer 200 and do nothing.
type CloudEvent struct {
	SpecVersion     string     `json:"specversion"`
	ID              string     `json:"id"`
	Source          string     `json:"source"`
	Type            string     `json:"type" example:"mooring.stuck.opened"`
	Subject         string     `json:"subject"` // the ID of what is stuck
	Time            time.Time  `json:"time"`
	DataContentType string     `json:"datacontenttype"`
	Data            NoticeData `json:"data"`
}

// NoticeData is the data of a CloudEvent.
type NoticeData struct {
	Change   Change         `json:"change"`
	Text     string         `json:"text"`
	Severity model.Severity `json:"severity"`
	Runbook  string         `json:"runbook"`
	AZ       string         `json:"az,omitempty"`
	Stuck    *model.Stuck   `json:"stuck"`
}

// Renew implements Receiver: a webhook is told of changes only.
func (w *webhook) Renew() time.Duration { return 0 }

// Send implements Receiver.
func (w *webhook) Send(ctx context.Context, notices []Notice) error {
	for i := range notices {
		n := &notices[i]
		body, err := json.Marshal(CloudEvent{
			SpecVersion: "1.0", ID: n.ID, Source: "mooring", Type: "mooring.stuck." + string(n.Change),
			Subject: n.Stuck.ID, Time: n.At.UTC(), DataContentType: "application/json",
			Data: NoticeData{
				Change: n.Change, Text: n.Text, Severity: n.Stuck.Kind.Severity(),
				Runbook: w.board.runbook(n.Stuck.Kind), AZ: n.AZ, Stuck: n.Stuck,
			},
		})
		if err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
		header := http.Header{"Content-Type": {"application/cloudevents+json"}}
		if len(w.secret) > 0 {
			header.Set(SignatureHeader, Sign(w.secret, body))
		}
		if err := post(ctx, w.client, w.url, header, body); err != nil {
			return err
		}
	}
	return nil
}

// Sign gives the value of SignatureHeader for a body. Compare it with
// hmac.Equal.
func Sign(secret, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body) // never fails
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
