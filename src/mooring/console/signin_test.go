package console

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/access"
)

// signIn posts the form with a token.
func signIn(handler http.Handler, token string) *http.Response {
	r := httptest.NewRequest(http.MethodPost, "/console/signin", strings.NewReader(url.Values{"token": {token}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	return answer.Result()
}

func TestSigningInKeepsATokenInTheBrowser(t *testing.T) {
	g := NewWithT(t)
	board, err := New(Config{Source: newPaper(), SignIn: func(_ *http.Request, token string) (*access.Actor, error) {
		if token == "good" {
			return &access.Actor{Name: "olga"}, nil
		}
		return nil, errors.New("the token is not <known> here")
	}})
	g.Expect(err).NotTo(HaveOccurred())

	form := httptest.NewRecorder()
	board.ServeHTTP(form, httptest.NewRequest(http.MethodGet, "/console/signin", nil))
	g.Expect(form.Body.String()).To(ContainSubstring(`<form method="post" action="/console/signin">`))

	in := signIn(board, " bearer good\n")
	g.Expect(in).To(HaveHTTPStatus(http.StatusSeeOther))
	g.Expect(in.Header.Get("Location")).To(Equal("/"))
	g.Expect(in.Cookies()).To(ConsistOf(And(HaveField("Value", "good"), HaveField("HttpOnly", true),
		HaveField("SameSite", http.SameSiteStrictMode), HaveField("Path", "/"), HaveField("Secure", false))))

	for token, status := range map[string]int{"bad": 401, "": 422, strings.Repeat("x", 5000): 422} {
		refused := signIn(board, token)
		g.Expect(refused).To(HaveHTTPStatus(status))
		g.Expect(refused.Cookies()).To(BeEmpty())
		g.Expect(refused).To(HaveHTTPBody(ContainSubstring(`role="alert"`)))
	}
	g.Expect(signIn(board, "bad")).To(HaveHTTPBody(ContainSubstring("&lt;known&gt;")), "nothing is taken for HTML")

	out := httptest.NewRecorder()
	board.ServeHTTP(out, httptest.NewRequest(http.MethodPost, "https://board.example.com/console/signout", nil))
	g.Expect(out.Result().Cookies()).To(ConsistOf(And(HaveField("Value", ""), HaveField("MaxAge", BeNumerically("<", 0)), HaveField("Secure", true))))
}

func TestWithoutTokensNobodySignsIn(t *testing.T) {
	g := NewWithT(t)
	board, err := New(Config{Source: newPaper()})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(signIn(board, "x").StatusCode).To(BeNumerically(">=", 400))
}
