package main

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"
)

// frontendConfig is the text that was there at the start, and what it says. A later change of the file has no effect, so
// `/config` shows what the pod really works with.
type frontendConfig struct {
	text      string
	upstreams map[string]*url.URL
}

// readFrontendConfig reads `path = upstream` lines: `/auth/ = http://auth` sends /auth/version to http://auth/version.
func readFrontendConfig(file string) (frontendConfig, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return frontendConfig{}, fmt.Errorf("the frontend needs its configuration: %w", err)
	}
	config := frontendConfig{text: string(text), upstreams: map[string]*url.URL{}}
	number := 0
	for line := range strings.Lines(config.text) {
		number++
		statement, _, _ := strings.Cut(line, "#")
		statement = strings.TrimSpace(statement)
		if statement == "" {
			continue
		}
		path, upstream, err := parseRoute(statement)
		if err != nil {
			return frontendConfig{}, fmt.Errorf("%s:%d: %q: %w", file, number, statement, err)
		}
		if _, twice := config.upstreams[path]; twice {
			return frontendConfig{}, fmt.Errorf("%s:%d: %q is there twice", file, number, path)
		}
		config.upstreams[path] = upstream
	}
	return config, nil
}

func parseRoute(statement string) (string, *url.URL, error) {
	left, right, found := strings.Cut(statement, "=")
	path := strings.TrimSpace(left)
	if !found || !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/") || strings.ContainsAny(path, " {}") {
		return "", nil, fmt.Errorf("expected a path between slashes, = and an address, such as /auth/ = http://auth")
	}
	upstream, err := url.Parse(strings.TrimSpace(right))
	if err != nil {
		return "", nil, err
	}
	if (upstream.Scheme != "http" && upstream.Scheme != "https") || upstream.Host == "" {
		return "", nil, fmt.Errorf("expected an address such as http://auth after the =")
	}
	return path, upstream, nil
}

// proxy passes requests on to the upstream whose path fits best; the path itself is taken off.
func (c frontendConfig) proxy() http.HandlerFunc {
	// A Service spreads connections, not requests: with kept connections a new pod would get nothing to do, and one
	// that has gone would still be asked.
	transport := &http.Transport{DisableKeepAlives: true, ResponseHeaderTimeout: 30 * time.Second}
	mux := http.NewServeMux()
	for path, upstream := range c.upstreams {
		mux.Handle(path, http.StripPrefix(strings.TrimSuffix(path, "/"), passOn(upstream, transport)))
	}
	return mux.ServeHTTP
}

func passOn(upstream *url.URL, transport http.RoundTripper) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		proxy := httputil.ReverseProxy{
			Transport: transport,
			Rewrite: func(request *httputil.ProxyRequest) {
				request.SetURL(upstream)
				request.SetXForwarded()
			},
			// The answer names the version and the pod that made it, not those of the frontend in between.
			ModifyResponse: func(response *http.Response) error {
				for _, name := range []string{"X-Version", "X-Pod"} {
					if response.Header.Get(name) != "" {
						w.Header().Del(name)
					}
				}
				return nil
			},
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
				http.Error(w, fmt.Sprintf("no answer from %s: %v", upstream, err), http.StatusBadGateway)
			},
		}
		proxy.ServeHTTP(w, r)
	}
}
