package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, s settings, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, path, nil)
	for index := 0; index+1 < len(header); index += 2 {
		request.Header.Set(header[index], header[index+1])
	}
	recorder := httptest.NewRecorder()
	newApplication(s).ServeHTTP(recorder, request)
	return recorder
}

func TestEveryAnswerNamesItsVersion(t *testing.T) {
	answer := get(t, settings{role: "ctwoc"}, "/version")
	if answer.Body.String() != version+"\n" || answer.Header().Get("X-Version") != version {
		t.Errorf("got %q, %q", answer.Body, answer.Header().Get("X-Version"))
	}
}

func TestReadinessWaitsForItsDelay(t *testing.T) {
	if code := get(t, settings{role: "ctwoc", readyDelay: time.Hour}, "/readyz").Code; code != http.StatusServiceUnavailable {
		t.Errorf("ready too early: %d", code)
	}
	if code := get(t, settings{role: "ctwoc"}, "/readyz").Code; code != http.StatusOK {
		t.Errorf("never ready: %d", code)
	}
}

func TestErrorsAreSpreadEvenly(t *testing.T) {
	a := newApplication(settings{role: "ctwoc", errorRate: 0.25})
	failed := 0
	for range 100 {
		recorder := httptest.NewRecorder()
		a.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/version", nil))
		if recorder.Code == http.StatusInternalServerError {
			failed++
		}
	}
	if failed != 25 {
		t.Errorf("%d of 100 failed; expected 25", failed)
	}
}

func TestATokenOfLoginOpensSecure(t *testing.T) {
	login := get(t, settings{role: "auth"}, "/login", "Authorization", "Basic dXNlcjpwYXNz")
	token := strings.Split(login.Body.String(), `"`)[3]
	if code := get(t, settings{role: "ctwoc"}, "/secure", "Authorization", "Bearer "+token).Code; code != http.StatusOK {
		t.Errorf("token %q refused: %d", token, code)
	}
	if code := get(t, settings{role: "ctwoc"}, "/secure", "Authorization", "Bearer user.forged").Code; code != http.StatusUnauthorized {
		t.Errorf("forged token taken: %d", code)
	}
}

func TestTheFrontendPassesRequestsOn(t *testing.T) {
	upstream := httptest.NewServer(newApplication(settings{role: "auth"}))
	defer upstream.Close()
	config := filepath.Join(t.TempDir(), "frontend.conf")
	if err := os.WriteFile(config, []byte("# comment\n/auth/ = "+upstream.URL+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	answer := get(t, settings{role: "frontend", config: config}, "/auth/version")
	if answer.Body.String() != version+"\n" {
		t.Errorf("got %d %q", answer.Code, answer.Body)
	}
}

func TestAWrongSettingIsNamed(t *testing.T) {
	_, err := readSettings(func(name string) string { return map[string]string{"LATENCY": "soon"}[name] })
	if err == nil || !strings.Contains(err.Error(), "LATENCY") {
		t.Errorf("got %v", err)
	}
}
