package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestServeGoesOnAnsweringForTheShutdownDelayThenEnds(t *testing.T) {
	port := freePort(t)
	stop := make(chan os.Signal, 1)
	ended := make(chan error, 1)
	go func() { ended <- serve(settings{role: "ctwoc", port: port, shutdownDelay: time.Second}, stop) }()
	waitFor(t, "the server is ready", func() bool { return ask(port, "/readyz") == "ok\n" })

	stop <- syscall.SIGTERM
	waitFor(t, "the server is no longer ready", func() bool { return ask(port, "/readyz") == "ending\n" })
	if body := ask(port, "/version"); body != version+"\n" {
		t.Errorf("got %q while it ends", body)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if body := ask(port, "/version"); !strings.HasPrefix(body, "no answer") {
		t.Errorf("got %q after its end", body)
	}
}

func TestASignalEndsTheStartDelay(t *testing.T) {
	stop := make(chan os.Signal, 1)
	stop <- syscall.SIGTERM
	if err := serve(settings{role: "ctwoc", port: freePort(t), startDelay: time.Hour}, stop); err != nil {
		t.Error(err)
	}
}

func TestAnUsedPortIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	if err := serve(settings{role: "ctwoc", port: port}, nil); err == nil {
		t.Error("served on a port that is in use")
	}
}

func ask(port, path string) string {
	response, err := http.Get("http://127.0.0.1:" + port + path)
	if err != nil {
		return "no answer: " + err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
