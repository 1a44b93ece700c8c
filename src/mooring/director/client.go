package director

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config says where a Director is and who calls it.
type Config struct {
	// URL is the Director's, such as "https://10.0.0.6:25555".
	URL string
	// CA holds the certificates, PEM, that the Director and its UAA are
	// trusted by; empty means those of the system.
	CA []byte
	// Client and Secret are those of a UAA client, or a user's name and
	// password where the Director has users of its own.
	Client, Secret string
	// Poll is how often a task is looked at; 0 means every second.
	Poll time.Duration
	// Retry is how long a call that only reads is tried again while the
	// Director does not answer; 0 means 30 s.
	Retry time.Duration
}

// Client calls a Director. It is safe for concurrent use.
type Client struct {
	base   *url.URL
	http   *http.Client
	poll   time.Duration
	retry  time.Duration
	logins logins
}

// answerPatience bounds one call; the Director does what takes longer as a
// task.
const answerPatience = 60 * time.Second

// New gives a client. It does not connect.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(cfg.URL, "/"))
	if err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "" {
		return nil, fmt.Errorf("the Director's address %q is not one such as https://10.0.0.6:25555", cfg.URL)
	}
	if cfg.Client == "" {
		return nil, errors.New("who calls the Director? give the name of a UAA client or of a user")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if len(cfg.CA) > 0 {
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(cfg.CA) {
			return nil, errors.New("the Director's CA holds no certificate; give it in PEM")
		}
	}
	c := &Client{base: base, poll: cfg.Poll, retry: cfg.Retry, http: &http.Client{
		Transport: transport, Timeout: answerPatience,
		// A redirect names the task that was started, on whatever host the
		// Director believes to be; only its path counts.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if c.poll == 0 {
		c.poll = time.Second
	}
	if c.retry == 0 {
		c.retry = 30 * time.Second
	}
	c.logins.client, c.logins.secret = cfg.Client, cfg.Secret
	return c, nil
}
