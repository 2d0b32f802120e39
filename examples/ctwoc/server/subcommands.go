package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// runSubcommand is for what is no server: `pause` holds a pod's namespaces, `job` runs once and ends, `load` sends requests.
func runSubcommand(name string, arguments []string) {
	switch name {
	case "pause":
		pause()
	case "job":
		job(arguments)
	case "load":
		runLoad(arguments)
	default:
		fmt.Fprintf(os.Stderr, "ctwoc: no subcommand %q; there are pause, job and load\n", name)
		os.Exit(2)
	}
}

// pause waits for a signal to end. In a pod with a shared process namespace it is process 1 and inherits the children of
// those that have ended, which stay in the process table until somebody waits for them.
func pause() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		reap()
	}
}

// reap waits for every child that has ended: many ends can come as one signal.
func reap() {
	for {
		child, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || child <= 0 {
			return
		}
	}
}

func job(arguments []string) {
	flags := flag.NewFlagSet("job", flag.ExitOnError)
	exit := flags.Int("exit", 0, "the exit code")
	sleep := flags.Duration("sleep", 0, "how long it runs")
	text := flags.String("print", "", "a line to print first")
	_ = flags.Parse(arguments)
	if *text != "" {
		fmt.Println(*text)
	}
	time.Sleep(*sleep)
	os.Exit(*exit)
}
