package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// runSubcommand is for containers that are no servers: `pause` holds a pod's namespaces, `job` runs once and ends.
func runSubcommand(name string, arguments []string) {
	switch name {
	case "pause":
		pause()
	case "job":
		job(arguments)
	default:
		fmt.Fprintf(os.Stderr, "ctwoc: no subcommand %q; there are pause and job\n", name)
		os.Exit(2)
	}
}

func pause() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
}

func job(arguments []string) {
	flags := flag.NewFlagSet("job", flag.ExitOnError)
	exit := flags.Int("exit", 0, "the exit code")
	sleep := flags.Duration("sleep", 0, "how long it runs")
	print := flags.String("print", "", "a line to print first")
	_ = flags.Parse(arguments)
	if *print != "" {
		fmt.Println(*print)
	}
	time.Sleep(*sleep)
	os.Exit(*exit)
}
