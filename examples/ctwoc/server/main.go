// Command server is the sample application: one small static binary for three roles (see README.md), with switches that
// make it misbehave in the ways that a deploy tool has to notice.
package main

import (
	"context"
	"errors"
	"fmt"
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
	settings, err := readSettings(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ctwoc:", err)
		os.Exit(2)
	}
	if err := serve(settings); err != nil {
		fmt.Fprintln(os.Stderr, "ctwoc:", err)
		os.Exit(1)
	}
}

func serve(settings settings) error {
	for line := range settings.logLines {
		fmt.Printf("line %d of %d\n", line+1, settings.logLines)
	}
	misbehave(settings)
	time.Sleep(settings.startDelay)

	application := newApplication(settings)
	server := &http.Server{Addr: ":" + settings.port, Handler: application, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- server.ListenAndServe() }()
	fmt.Printf("ctwoc %s (%s) listens on port %s\n", version, settings.role, settings.port)

	secure := &http.Server{Addr: ":" + settings.tlsPort, Handler: application, ReadHeaderTimeout: 10 * time.Second}
	if settings.tlsCert != "" {
		go func() { failed <- secure.ListenAndServeTLS(settings.tlsCert, settings.tlsKey) }()
		fmt.Printf("ctwoc %s (%s) listens on port %s with TLS\n", version, settings.role, settings.tlsPort)
	}

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err := <-failed:
		return err
	case <-stop:
	}
	// A load balancer goes on sending for a moment: answer until it has noticed that this pod is going away.
	application.ending.Store(true)
	time.Sleep(settings.shutdownDelay)
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(server.Shutdown(limit), secure.Shutdown(limit))
}

// misbehave starts what the settings ask for: a crash after a while, memory that grows.
func misbehave(settings settings) {
	if settings.crashes {
		time.AfterFunc(settings.crashAfter, func() {
			fmt.Fprintln(os.Stderr, settings.crashMessage)
			os.Exit(settings.exitCode)
		})
	}
	if settings.memoryGrowth > 0 {
		go func() {
			var held [][]byte
			for {
				block := make([]byte, settings.memoryGrowth<<20)
				for index := 0; index < len(block); index += 4096 {
					block[index] = 1
				}
				held = append(held, block)
				time.Sleep(time.Second)
			}
		}()
	}
}
