package main

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	defaultStreamSeconds = 10
	longestStreamSeconds = 3600
)

// stream stands for a model that answers token by token: a line each second, `3 of 60`. It is whole when its last line has come.
func stream(w http.ResponseWriter, r *http.Request) {
	seconds := defaultStreamSeconds
	if text := r.URL.Query().Get("seconds"); text != "" {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || number > longestStreamSeconds {
			http.Error(w, fmt.Sprintf("expected seconds from 1 to %d", longestStreamSeconds), http.StatusBadRequest)
			return
		}
		seconds = number
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	controller := http.NewResponseController(w)
	// The status goes out at once: a client knows then who answers it.
	if err := controller.Flush(); err != nil {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for second := 1; second <= seconds; second++ {
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
		fmt.Fprintf(w, "%d of %d\n", second, seconds)
		if err := controller.Flush(); err != nil {
			return
		}
	}
}
