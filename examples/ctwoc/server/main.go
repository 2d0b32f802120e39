// Command server is the sample application: one small static binary for three roles (see README.md), with switches that
// make it misbehave in the ways that a deploy tool has to notice.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// version is set when the image is built: -ldflags "-X main.version=1.0.0".
var version = "dev"

func main() {
	if len(os.Args) > 1 {
		runSubcommand(os.Args[1], os.Args[2:])
		return
	}
	// Caught from the first moment on: as process 1 of a container, a program is not ended by a signal it ignores.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	settings, err := readSettings(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ctwoc:", err)
		os.Exit(2)
	}
	if err := serve(settings, stop); err != nil {
		fmt.Fprintln(os.Stderr, "ctwoc:", err)
		os.Exit(1)
	}
}

// serve answers requests until a signal comes and the shutdown is over, or until a listener fails.
func serve(settings settings, stop <-chan os.Signal) error {
	misbehave(settings)
	if !begin(settings, stop) {
		return nil
	}
	application, err := newApplication(settings)
	if err != nil {
		return err
	}
	listeners, err := listen(settings)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: application, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, len(listeners))
	for _, listener := range listeners {
		go func() { failed <- server.Serve(listener) }()
	}
	select {
	case err := <-failed:
		return err
	case <-stop:
	}
	// Kubernetes ends a pod and takes it out of its Services at the same time, not one after the other: requests
	// still come for a moment, and must be answered.
	application.ending.Store(true)
	fmt.Printf("ctwoc %s (%s) ends in %s\n", version, settings.role, settings.shutdownDelay)
	time.Sleep(settings.shutdownDelay)
	// It takes no more connections and serves what it has begun to its end: how long that may last is up to the pod's grace period.
	return server.Shutdown(context.Background())
}

// begin is what comes before the server listens: the lines of a start in stages, then a delay. False when it was told to stop.
func begin(settings settings, stop <-chan os.Signal) bool {
	wait := func(duration time.Duration) bool {
		select {
		case <-time.After(duration):
			return true
		case <-stop:
			return false
		}
	}
	for _, line := range settings.startLog {
		fmt.Println(line)
		if !wait(settings.startLogEvery) {
			return false
		}
	}
	return wait(settings.startDelay)
}

// listen opens the plain port and, where both files are mounted, the one with TLS.
func listen(settings settings) ([]net.Listener, error) {
	plain, err := net.Listen("tcp", ":"+settings.port)
	if err != nil {
		return nil, err
	}
	fmt.Printf("ctwoc %s (%s) listens on port %s\n", version, settings.role, settings.port)
	if settings.tlsCert == "" || settings.tlsKey == "" {
		return []net.Listener{plain}, nil
	}
	certificate, err := tls.LoadX509KeyPair(settings.tlsCert, settings.tlsKey)
	if errors.Is(err, os.ErrNotExist) {
		fmt.Printf("ctwoc %s (%s) goes without TLS: %v\n", version, settings.role, err)
		return []net.Listener{plain}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("TLS_CERT %q, TLS_KEY %q: %w", settings.tlsCert, settings.tlsKey, err)
	}
	secure, err := tls.Listen("tcp", ":"+settings.tlsPort, &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
	})
	if err != nil {
		return nil, err
	}
	fmt.Printf("ctwoc %s (%s) listens on port %s with TLS\n", version, settings.role, settings.tlsPort)
	return []net.Listener{plain, secure}, nil
}
