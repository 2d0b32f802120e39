package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"
)

// registryConfig is written by node.ts.
type registryConfig struct {
	Listen   string `json:"listen"`
	Upstream string `json:"upstream"`
	// Bytes per second for blobs of slow repositories.
	SlowRate int `json:"slowRate"`
}

// runRegistryFront passes requests to the real registry, but for the repositories `denied/…` (401: asks for credentials
// that nobody has), `forbidden/…` (403), `limited/…` (429) and `slow/…` (blobs trickle).
func runRegistryFront(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var config registryConfig
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	upstream, err := url.Parse(config.Upstream)
	if err != nil {
		return err
	}
	proxy := httputil.NewSingleHostReverseProxy(upstream)
	handler := func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/v2/denied/"):
			w.Header().Set("WWW-Authenticate", `Basic realm="registry.test"`)
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		case strings.HasPrefix(r.URL.Path, "/v2/forbidden/"):
			refuse(w, http.StatusForbidden, "DENIED", "requested access to the resource is denied")
		case strings.HasPrefix(r.URL.Path, "/v2/limited/"):
			refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "too many requests")
		case strings.HasPrefix(r.URL.Path, "/v2/slow/") && strings.Contains(r.URL.Path, "/blobs/"):
			proxy.ServeHTTP(&slowWriter{ResponseWriter: w, rate: config.SlowRate}, r)
		default:
			proxy.ServeHTTP(w, r)
		}
	}
	return http.ListenAndServe(config.Listen, http.HandlerFunc(handler))
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body := map[string]any{"errors": []map[string]string{{"code": code, "message": message}}}
	_ = json.NewEncoder(w).Encode(body)
}

// slowWriter lets at most `rate` bytes per second through.
type slowWriter struct {
	http.ResponseWriter
	rate int
}

func (w *slowWriter) Write(data []byte) (int, error) {
	n, err := w.ResponseWriter.Write(data)
	if flusher, ok := w.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
	time.Sleep(time.Duration(n) * time.Second / time.Duration(w.rate))
	return n, err
}

// ReadFrom is hidden so that the proxy cannot bypass Write.
func (w *slowWriter) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{w}, r)
}
