package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// tokenKey signs the tokens that the auth role gives and the ctwoc role takes. It is a sample: the key is no secret, and
// any password will do.
const tokenKey = "ctwoc sample"

func login(w http.ResponseWriter, r *http.Request) {
	user, _, given := r.BasicAuth()
	if !given || user == "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="ctwoc"`)
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	writeJSON(w, map[string]any{"token": sign(user) + "." + user})
}

func secure(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	signature, user, _ := strings.Cut(token, ".")
	if user == "" || !hmac.Equal([]byte(signature), []byte(sign(user))) {
		http.Error(w, "no valid token", http.StatusUnauthorized)
		return
	}
	writeJSON(w, map[string]any{"message": "hello " + user, "version": version})
}

func sign(user string) string {
	mac := hmac.New(sha256.New, []byte(tokenKey))
	mac.Write([]byte(user))
	return hex.EncodeToString(mac.Sum(nil))
}
