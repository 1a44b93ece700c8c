package director

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// errLogin is a login that was refused: waiting does not mend it.
var errLogin = errors.New("the login was refused; check the client and its secret")

// logins keeps the authorization header and when it is to be renewed.
type logins struct {
	client, secret string

	mu    sync.Mutex
	held  string
	until time.Time // zero: it lasts
}

// earlier is how long before its end a token is renewed.
const earlier = 30 * time.Second

// authorization gives the header for a call, logging in when that is needed;
// refused says that the one held was not accepted.
func (c *Client) authorization(ctx context.Context, refused bool) (string, error) {
	l := &c.logins
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != "" && !refused && (l.until.IsZero() || time.Now().Before(l.until)) {
		return l.held, nil
	}
	info, err := c.Info(ctx)
	if err != nil {
		return "", err
	}
	if info.Authentication.Type != "uaa" {
		if refused {
			return "", fmt.Errorf("log in to the Director as %s: %w", l.client, errLogin)
		}
		l.held = "Basic " + base64.StdEncoding.EncodeToString([]byte(l.client+":"+l.secret))
		return l.held, nil
	}
	token, lasts, err := c.token(ctx, info.Authentication.Options.URL)
	if err != nil {
		return "", err
	}
	l.held, l.until = "Bearer "+token, time.Now().Add(lasts-min(earlier, lasts/2))
	return l.held, nil
}

// token asks a UAA for a token by client credentials.
func (c *Client) token(ctx context.Context, uaa string) (token string, lasts time.Duration, err error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	target := strings.TrimRight(uaa, "/") + "/oauth/token"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, fmt.Errorf("log in at the UAA %q: %w", uaa, err)
	}
	request.SetBasicAuth(url.QueryEscape(c.logins.client), url.QueryEscape(c.logins.secret))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return "", 0, fmt.Errorf("log in at the UAA: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", 0, fmt.Errorf("log in at the UAA: %w", err)
	}
	if response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusBadRequest {
		return "", 0, fmt.Errorf("log in at %s as %s: %w: %s", uaa, c.logins.client, errLogin, shorten(string(body)))
	}
	var granted struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	if response.StatusCode != http.StatusOK || json.Unmarshal(body, &granted) != nil || granted.Token == "" {
		return "", 0, fmt.Errorf("log in at %s: it answered %s: %s", uaa, response.Status, shorten(string(body)))
	}
	return granted.Token, time.Duration(granted.Seconds) * time.Second, nil
}
