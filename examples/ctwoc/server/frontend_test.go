package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func configFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "frontend.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTheFrontendPassesRequestsOnWithoutTheirPrefix(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", "of the upstream")
		fmt.Fprint(w, r.Method, " ", r.URL)
	}))
	defer upstream.Close()
	a := start(t, settings{role: "frontend", config: configFile(t, "# comment\n\n/auth/ = "+upstream.URL+" # here\n")})

	answer := get(a, "/auth/login?user=jane")
	if body := answer.Body.String(); body != "GET /login?user=jane" {
		t.Errorf("got %d %q", answer.Code, body)
	}
	if versions := answer.Header().Values("X-Version"); !slices.Equal(versions, []string{"of the upstream"}) {
		t.Errorf("the answer names the versions %q", versions)
	}
	expectCode(t, get(a, "/other/version"), http.StatusNotFound)
	if body := get(a, "/version").Body.String(); body != version+"\n" {
		t.Errorf("got %q for its own version", body)
	}
}

func TestAnUpstreamThatDoesNotAnswerIsNamed(t *testing.T) {
	upstream := httptest.NewServer(http.NotFoundHandler())
	upstream.Close()
	answer := get(start(t, settings{role: "frontend", config: configFile(t, "/auth/ = "+upstream.URL)}), "/auth/version")
	expectCode(t, answer, http.StatusBadGateway)
	if !strings.Contains(answer.Body.String(), upstream.URL) {
		t.Errorf("got %q", answer.Body)
	}
}

func TestTheFrontendShowsTheConfigurationItStartedWith(t *testing.T) {
	file := configFile(t, "/auth/ = http://auth\n")
	a := start(t, settings{role: "frontend", config: file})
	if err := os.WriteFile(file, []byte("/auth/ = http://changed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if body := get(a, "/config").Body.String(); body != "/auth/ = http://auth\n" {
		t.Errorf("got %q", body)
	}
}

func TestAConfigurationThatCannotBeUsedIsRefused(t *testing.T) {
	wrong := map[string]string{
		"no equals sign":    "/auth/ http://auth",
		"no leading slash":  "auth/ = http://auth",
		"no trailing slash": "/auth = http://auth",
		"no scheme":         "/auth/ = auth",
		"no host":           "/auth/ = http://",
		"there twice":       "/auth/ = http://auth\n/auth/ = http://other",
	}
	for name, text := range wrong {
		if _, err := readFrontendConfig(configFile(t, text)); err == nil || !strings.Contains(err.Error(), "frontend.conf:") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := newApplication(settings{role: "frontend", config: "/no/such/file"}); err == nil {
		t.Error("started without a configuration")
	}
}
