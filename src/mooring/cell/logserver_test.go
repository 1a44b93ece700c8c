package cell_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// logs asks the agent's log server, as the API does.
func (b *bench) logs(path string) *http.Response {
	b.Helper()
	return b.logsWith(path, b.registered().LogKey)
}

// registered is the cell as its agent said it is.
func (b *bench) registered() model.Cell {
	b.control.mu.Lock()
	defer b.control.mu.Unlock()
	return b.control.registrations[0].Cell
}

// logsWith asks the agent's log server with some key.
func (b *bench) logsWith(path, key string) *http.Response {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+b.registered().LogAddress+path, nil)
	b.Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	b.Expect(err).NotTo(HaveOccurred())
	b.Cleanup(func() { response.Body.Close() })
	return response
}

func TestLogsAreServedAndFollowed(t *testing.T) {
	b := newBench(t)
	stop := b.start()
	b.control.give(instance(0, `echo one; echo two; while ! test -e go; do sleep 0.01; done; echo three; `+sleepLoop))
	b.serving(0)
	b.Eventually(func() string {
		text, err := io.ReadAll(b.logs("/logs/app-1/0?lines=1").Body)
		b.Expect(err).NotTo(HaveOccurred())
		return string(text)
	}, patience).Should(Equal("two\n"))

	followed := bufio.NewScanner(b.logs("/logs/app-1/0?follow=true").Body)
	for _, want := range []string{"one", "two"} {
		b.Expect(followed.Scan()).To(BeTrue())
		b.Expect(followed.Text()).To(Equal(want))
	}
	b.Expect(os.WriteFile(filepath.Join(b.root(0), "go"), nil, 0o600)).To(Succeed())
	b.Expect(followed.Scan()).To(BeTrue())
	b.Expect(followed.Text()).To(Equal("three"))

	for path, status := range map[string]int{
		"/logs/app-1/9":            http.StatusNotFound,
		"/logs/app-2/0":            http.StatusNotFound,
		"/logs/app-1/x":            http.StatusBadRequest,
		"/logs/app-1/0?lines=many": http.StatusBadRequest,
	} {
		b.Expect(b.logs(path).StatusCode).To(Equal(status), path)
	}
	for _, key := range []string{"", "guessed"} {
		b.Expect(b.logsWith("/logs/app-1/0", key).StatusCode).To(Equal(http.StatusUnauthorized), "logs are read through the API alone")
	}
	b.Expect(stop()).To(Succeed(), "a follower does not hold the agent up")
}
