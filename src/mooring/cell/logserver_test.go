package cell_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// logs asks the agent's log server.
func (b *bench) logs(path string) *http.Response {
	b.Helper()
	b.control.mu.Lock()
	address := b.control.registrations[0].LogAddress
	b.control.mu.Unlock()
	response, err := http.Get("http://" + address + path)
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
	b.Expect(stop()).To(Succeed(), "a follower does not hold the agent up")
}
