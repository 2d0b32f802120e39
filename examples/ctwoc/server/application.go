package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// tokenKey signs the tokens of the auth role. It is a sample: the key is no secret.
const tokenKey = "ctwoc sample"

type application struct {
	settings settings
	started  time.Time
	ending   atomic.Bool
	requests atomic.Int64
	mux      *http.ServeMux
}

func newApplication(settings settings) *application {
	a := &application{settings: settings, started: time.Now(), mux: http.NewServeMux()}
	a.mux.HandleFunc("GET /healthz", a.health)
	a.mux.HandleFunc("GET /readyz", a.ready)
	a.mux.HandleFunc("GET /version", a.work(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, version) }))
	a.mux.HandleFunc("/predict", a.work(predict))
	a.mux.HandleFunc("GET /env", a.work(environment))
	a.mux.HandleFunc("GET /{$}", a.work(a.index))
	switch settings.role {
	case "auth":
		a.mux.HandleFunc("GET /login", a.work(login))
	case "ctwoc":
		a.mux.HandleFunc("GET /secure", a.work(secure))
	case "frontend":
		a.mux.HandleFunc("GET /config", a.work(a.configText))
		a.proxies()
	}
	return a
}

func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Version", version)
	w.Header().Set("X-Pod", hostname())
	a.mux.ServeHTTP(w, r)
}

// work wraps the endpoints that count as work: they can be slow and fail; probes never are.
func (a *application) work(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(a.settings.latency)
		if a.fails(a.requests.Add(1)) {
			http.Error(w, "the sample was told to fail", http.StatusInternalServerError)
			return
		}
		handle(w, r)
	}
}

// fails spreads the failures evenly: with a rate of 0.05 it is every 20th request, not a matter of luck.
func (a *application) fails(number int64) bool {
	rate := a.settings.errorRate
	return math.Floor(float64(number)*rate) > math.Floor(float64(number-1)*rate)
}

func (a *application) health(w http.ResponseWriter, _ *http.Request) {
	if a.settings.healthFails && time.Since(a.started) >= a.settings.healthAfter {
		http.Error(w, "unhealthy: the sample was told so", http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (a *application) ready(w http.ResponseWriter, _ *http.Request) {
	switch {
	case a.ending.Load():
		http.Error(w, "ending", http.StatusServiceUnavailable)
	case a.settings.neverReady || time.Since(a.started) < a.settings.readyDelay:
		http.Error(w, "not ready yet", http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ok")
	}
}

func (a *application) index(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{"role": a.settings.role, "version": version, "hostname": hostname()})
}

// predict stands for a model: the outputs are the inputs, doubled.
func predict(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Inputs []float64 `json:"inputs"`
	}
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, `expected {"inputs": [numbers]}`, http.StatusBadRequest)
			return
		}
	}
	outputs := make([]float64, len(body.Inputs))
	for index, input := range body.Inputs {
		outputs[index] = 2 * input
	}
	writeJSON(w, map[string]any{"version": version, "outputs": outputs})
}

// environment shows variables that begin with GREETING and no others.
func environment(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("name")
	if !strings.HasPrefix(name, "GREETING") {
		http.Error(w, "only variables that begin with GREETING", http.StatusForbidden)
		return
	}
	fmt.Fprintln(w, os.Getenv(name))
}

func login(w http.ResponseWriter, r *http.Request) {
	user, _, given := r.BasicAuth()
	if !given {
		w.Header().Set("WWW-Authenticate", `Basic realm="ctwoc"`)
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	writeJSON(w, map[string]any{"token": user + "." + sign(user)})
}

func secure(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	user, signature, _ := strings.Cut(token, ".")
	if !hmac.Equal([]byte(signature), []byte(sign(user))) {
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

func (a *application) configText(w http.ResponseWriter, _ *http.Request) {
	text, err := os.ReadFile(a.settings.config)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(text)
}

// proxies reads `path = upstream` lines: `/auth/ = http://auth` sends /auth/version to http://auth/version.
func (a *application) proxies() {
	file, err := os.Open(a.settings.config)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ctwoc: no configuration:", err)
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		path, upstream, found := strings.Cut(line, "=")
		if !found {
			continue
		}
		path = strings.TrimSpace(path)
		target, err := url.Parse(strings.TrimSpace(upstream))
		if err != nil {
			fmt.Fprintln(os.Stderr, "ctwoc: configuration:", err)
			continue
		}
		a.mux.Handle(path, http.StripPrefix(strings.TrimSuffix(path, "/"), httputil.NewSingleHostReverseProxy(target)))
	}
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func hostname() string {
	name, _ := os.Hostname()
	return name
}
