package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestATokenOfLoginOpensSecure(t *testing.T) {
	request := httptest.NewRequest(http.MethodGet, "/login", nil)
	request.SetBasicAuth("jane.doe", "any")
	var body struct{ Token string }
	if err := json.Unmarshal(send(start(t, settings{role: "auth"}), request).Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	expectCode(t, askSecure(t, body.Token), http.StatusOK)
}

func TestSecureRefusesEveryOtherToken(t *testing.T) {
	for _, token := range []string{"", ".", "user", ".user", "forged.user", sign("") + ".", sign("user") + ".other"} {
		expectCode(t, askSecure(t, token), http.StatusUnauthorized)
	}
}

func TestLoginAsksForAUser(t *testing.T) {
	answer := get(start(t, settings{role: "auth"}), "/login")
	expectCode(t, answer, http.StatusUnauthorized)
	if answer.Header().Get("WWW-Authenticate") == "" {
		t.Error("the answer does not say how to sign in")
	}
}

func TestEachRoleHasItsOwnEndpointsOnly(t *testing.T) {
	expectCode(t, get(start(t, settings{role: "ctwoc"}), "/login"), http.StatusNotFound)
	expectCode(t, get(start(t, settings{role: "auth"}), "/secure"), http.StatusNotFound)
	expectCode(t, get(start(t, settings{role: "auth"}), "/config"), http.StatusNotFound)
}

func askSecure(t *testing.T, token string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, "/secure", nil)
	request.Header.Set("Authorization", "Bearer "+token)
	return send(start(t, settings{role: "ctwoc"}), request)
}
