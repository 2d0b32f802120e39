package main

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestLoadKeepsItsRateAndCountsAnswersByVersion(t *testing.T) {
	// Not by their addresses: the system may give the port of one that has ended to a later one.
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Version", "7")
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	windows, result := runFor(t, server.URL, 200, 500*time.Millisecond)
	if result.Sent != 100 || result.Lost != 0 || result.PerSecond < 190 || result.PerSecond > 210 {
		t.Errorf("got %+v", result)
	}
	answers, last := 0, int64(0)
	for _, w := range windows {
		if w.FromMs <= last || w.UntilMs < w.FromMs || w.Answers["7"] != w.Sent {
			t.Errorf("got %+v after a window from %d", w, last)
		}
		answers, last = answers+w.Answers["7"], w.FromMs
	}
	if answers != 100 {
		t.Errorf("the windows count %d answers", answers)
	}
	if count := connections.Load(); count != 100 {
		t.Errorf("%d connections", count)
	}
}

func TestLoadNamesWhatWasLost(t *testing.T) {
	status := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }))
	defer status.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer cut.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for address, expected := range map[string]string{
		status.URL:                         "status 502",
		cut.URL:                            "read: closed without an answer",
		"http://" + silent.Addr().String(): "read: timeout",
		"http://127.0.0.1:" + freePort(t):  "connect: connection refused",
	} {
		windows, result := runFor(t, address, 100, 50*time.Millisecond)
		lost := 0
		for _, w := range windows {
			lost += w.Lost[expected]
		}
		if result.Lost != 5 || lost != 5 {
			t.Errorf("%s: got %+v, %d of them as %q: %+v", address, result, lost, expected, windows)
		}
	}
}

func TestLoadEndsOnASignal(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	l, err := newLoad(server.URL, 10, time.Second, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan os.Signal, 1)
	stop <- syscall.SIGTERM
	l.run(time.Hour, stop)
}

func TestLoadRefusesWhatItCannotUse(t *testing.T) {
	for _, target := range []string{"", "10.0.0.1", "https://10.0.0.1/"} {
		if _, err := newLoad(target, 10, time.Second, nil); err == nil || !strings.Contains(err.Error(), "--url") {
			t.Errorf("%q: got %v", target, err)
		}
	}
	if _, err := newLoad("http://10.0.0.1/", 0, time.Second, nil); err == nil {
		t.Error("took a rate of 0")
	}
}

func runFor(t *testing.T, target string, rate float64, duration time.Duration) ([]window, loadResult) {
	t.Helper()
	var output bytes.Buffer
	l, err := newLoad(target, rate, 300*time.Millisecond, &output)
	if err != nil {
		t.Fatal(err)
	}
	l.run(duration, nil)
	lines := strings.Split(strings.TrimSpace(output.String()), "\n")
	var result loadResult
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &result); err != nil {
		t.Fatal(err)
	}
	var windows []window
	for _, line := range lines[:len(lines)-1] {
		var w window
		if err := json.Unmarshal([]byte(line), &w); err != nil {
			t.Fatal(err)
		}
		windows = append(windows, w)
	}
	return windows, result
}
