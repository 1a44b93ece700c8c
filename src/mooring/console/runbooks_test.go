package console

import (
	"net/http"
	"net/http/httptest"
	"testing"

	. "github.com/onsi/gomega"
)

func TestARunbookIsShownToWhoeverFollowsAnAlert(t *testing.T) {
	g := NewWithT(t)
	board, err := New(Config{Source: newPaper()})
	g.Expect(err).NotTo(HaveOccurred())
	answer := httptest.NewRecorder()
	board.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/console/runbooks/handler-hung", nil))
	g.Expect(answer.Code).To(Equal(200))
	g.Expect(answer.Header().Get("Content-Security-Policy")).To(ContainSubstring("default-src 'none'"))
	g.Expect(answer.Body.String()).To(And(ContainSubstring("<h1>A handler makes no progress</h1>"), ContainSubstring("<code>moor stuck ID</code>")))

	answer = httptest.NewRecorder()
	board.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/console/runbooks/nothing", nil))
	g.Expect(answer.Code).To(Equal(404))
}
