package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

type application struct {
	settings settings
	hostname string
	started  time.Time
	ending   atomic.Bool
	requests atomic.Int64
	mux      *http.ServeMux
}

// newApplication fails when the frontend's configuration cannot be used.
func newApplication(settings settings) (*application, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	a := &application{settings: settings, hostname: hostname, started: time.Now(), mux: http.NewServeMux()}
	a.mux.HandleFunc("GET /healthz", a.health)
	a.mux.HandleFunc("GET /readyz", a.ready)
	a.mux.HandleFunc("GET /version", a.work(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, version) }))
	a.mux.HandleFunc("/predict", a.work(predict))
	a.mux.HandleFunc("GET /stream", a.work(stream))
	a.mux.HandleFunc("GET /env", a.work(environment))
	a.mux.HandleFunc("GET /{$}", a.work(a.index))
	switch settings.role {
	case "auth":
		a.mux.HandleFunc("GET /login", a.work(login))
	case "ctwoc":
		a.mux.HandleFunc("GET /secure", a.work(secure))
	case "frontend":
		config, err := readFrontendConfig(settings.config)
		if err != nil {
			return nil, err
		}
		a.mux.HandleFunc("GET /config", a.work(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, config.text) }))
		a.mux.HandleFunc("/", a.work(config.proxy()))
	}
	return a, nil
}

// ServeHTTP names version and pod on every answer. While the server ends, it also asks clients to connect anew, so
// that none of them holds a connection to it when it is gone.
func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Version", version)
	w.Header().Set("X-Pod", a.hostname)
	if a.ending.Load() {
		w.Header().Set("Connection", "close")
	}
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
	writeJSON(w, map[string]any{"role": a.settings.role, "version": version, "hostname": a.hostname})
}

// predict stands for a model: the outputs are the inputs, doubled. A GET is answered as if there were no inputs.
func predict(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Inputs []float64 `json:"inputs"`
	}
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&body); err != nil {
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

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
