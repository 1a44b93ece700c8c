package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"mooring/access"
)

// Config says where the API is.
type Config struct {
	// Endpoints are base addresses such as "http://127.0.0.1:7770"; a comma
	// separates several in one string. At least one.
	Endpoints []string
	// HTTP sends the requests. It must have no overall timeout: streams and
	// long polls are bounded by their contexts. Nil means a plain one.
	HTTP *http.Client
	// Token is the bearer token to show, "" for none.
	Token string
}

// Client calls the API. It is safe for concurrent use.
type Client struct {
	endpoints []*url.URL
	http      *http.Client
	token     string
	// good is the index of the endpoint that answered last.
	good atomic.Int32
}

// New gives a client. It does not connect. An endpoint that is not an http or
// https address is an error, and so is one where others could read the token
// on its way.
func New(cfg Config) (*Client, error) {
	c := &Client{http: cfg.HTTP, token: cfg.Token}
	if c.http == nil {
		c.http = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	}
	for _, text := range strings.Split(strings.Join(cfg.Endpoints, ","), ",") {
		text = strings.TrimRight(strings.TrimSpace(text), "/")
		if text == "" {
			continue
		}
		endpoint, err := url.Parse(text)
		if err != nil || (endpoint.Scheme != "http" && endpoint.Scheme != "https") || endpoint.Host == "" {
			return nil, fmt.Errorf("API address %q is not one such as http://127.0.0.1:7770", text)
		}
		if c.token != "" && endpoint.Scheme == "http" && !access.Loopback(endpoint.Hostname()) {
			return nil, fmt.Errorf("a token could be read on its way to %s; call the API with https", text)
		}
		c.endpoints = append(c.endpoints, endpoint)
	}
	if len(c.endpoints) == 0 {
		return nil, errors.New("no API address was given; set MOORING_API")
	}
	return c, nil
}
