package notify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// sendTimeout bounds one attempt to deliver.
const sendTimeout = 10 * time.Second

// refusals are the answers that concern what was sent and not whether, now or
// under this configuration, it can be taken.
var refusals = []int{
	http.StatusBadRequest, http.StatusGone, http.StatusRequestEntityTooLarge,
	http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
}

// post sends a body and succeeds on any answer of the 200s.
func post(ctx context.Context, client *http.Client, url string, header http.Header, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = header
	response, err := client.Do(request)
	if err != nil {
		return err // it names method and address
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, 500)) // an excerpt for the error
	if response.StatusCode/100 == 2 {
		return nil
	}
	err = fmt.Errorf("POST %s: %s: %s", request.URL.Redacted(), response.Status, strings.TrimSpace(string(said)))
	if slices.Contains(refusals, response.StatusCode) {
		err = fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}

// checkURL refuses what is not the address of a web server.
func checkURL(text string) error {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return fmt.Errorf("%q is no address; write http://HOST:PORT or https://HOST/PATH", text)
	}
	return nil
}
