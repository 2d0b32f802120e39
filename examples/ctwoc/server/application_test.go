package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func start(t *testing.T, s settings) *application {
	t.Helper()
	application, err := newApplication(s)
	if err != nil {
		t.Fatal(err)
	}
	return application
}

func send(a *application, request *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	a.ServeHTTP(recorder, request)
	return recorder
}

func get(a *application, path string) *httptest.ResponseRecorder {
	return send(a, httptest.NewRequest(http.MethodGet, path, nil))
}

func expectCode(t *testing.T, answer *httptest.ResponseRecorder, code int) {
	t.Helper()
	if answer.Code != code {
		t.Errorf("got %d %q; expected %d", answer.Code, answer.Body, code)
	}
}

func TestEveryAnswerNamesItsVersionAndItsPod(t *testing.T) {
	a := start(t, settings{role: "ctwoc"})
	if body := get(a, "/version").Body.String(); body != version+"\n" {
		t.Errorf("got %q", body)
	}
	for _, path := range []string{"/", "/version", "/healthz", "/readyz", "/predict", "/no-such-path"} {
		header := get(a, path).Header()
		if header.Get("X-Version") != version || header.Get("X-Pod") != a.hostname {
			t.Errorf("%s: got %v", path, header)
		}
	}
}

func TestReadinessWaitsForItsDelay(t *testing.T) {
	expectCode(t, get(start(t, settings{role: "ctwoc", readyDelay: time.Hour}), "/readyz"), http.StatusServiceUnavailable)
	expectCode(t, get(start(t, settings{role: "ctwoc", neverReady: true}), "/readyz"), http.StatusServiceUnavailable)
	expectCode(t, get(start(t, settings{role: "ctwoc"}), "/readyz"), http.StatusOK)
}

func TestAServerThatEndsIsNotReadyButStillAnswers(t *testing.T) {
	a := start(t, settings{role: "ctwoc"})
	a.ending.Store(true)
	expectCode(t, get(a, "/readyz"), http.StatusServiceUnavailable)
	answer := get(a, "/version")
	expectCode(t, answer, http.StatusOK)
	if answer.Header().Get("Connection") != "close" {
		t.Error("the client was not asked to connect anew")
	}
}

func TestLivenessFailsWhenItsTimeHasCome(t *testing.T) {
	expectCode(t, get(start(t, settings{role: "ctwoc", healthFails: true, healthAfter: time.Hour}), "/healthz"), http.StatusOK)
	expectCode(t, get(start(t, settings{role: "ctwoc", healthFails: true}), "/healthz"), http.StatusInternalServerError)
}

func TestErrorsAreSpreadEvenlyAndSpareTheProbes(t *testing.T) {
	a := start(t, settings{role: "ctwoc", errorRate: 0.25})
	failed := 0
	for number := 1; number <= 100; number++ {
		expectCode(t, get(a, "/readyz"), http.StatusOK)
		fails := get(a, "/version").Code == http.StatusInternalServerError
		if fails {
			failed++
		}
		if fails != (number%4 == 0) {
			t.Errorf("request %d: failed is %v", number, fails)
		}
	}
	if failed != 25 {
		t.Errorf("%d of 100 failed; expected 25", failed)
	}
}

func TestPredictDoublesItsInputs(t *testing.T) {
	a := start(t, settings{role: "ctwoc"})
	post := func(body string) *httptest.ResponseRecorder {
		return send(a, httptest.NewRequest(http.MethodPost, "/predict", strings.NewReader(body)))
	}
	expected := `{"outputs":[2,5],"version":"` + version + `"}` + "\n"
	if body := post(`{"inputs": [1, 2.5]}`).Body.String(); body != expected {
		t.Errorf("got %q; expected %q", body, expected)
	}
	expectCode(t, post(`{"inputs": "one"}`), http.StatusBadRequest)
	expectCode(t, get(a, "/predict"), http.StatusOK)
}

func TestOnlyGreetingsAreShownOfTheEnvironment(t *testing.T) {
	t.Setenv("GREETING_MORNING", "good morning")
	t.Setenv("PASSWORD", "hidden")
	a := start(t, settings{role: "ctwoc"})
	if body := get(a, "/env?name=GREETING_MORNING").Body.String(); body != "good morning\n" {
		t.Errorf("got %q", body)
	}
	answer := get(a, "/env?name=PASSWORD")
	expectCode(t, answer, http.StatusForbidden)
	if strings.Contains(answer.Body.String(), "hidden") {
		t.Error("the password was shown")
	}
}
