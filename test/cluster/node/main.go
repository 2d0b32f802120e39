// Command node holds what the embedded cluster needs beside Kubernetes itself; CONFIG is a JSON file:
//
//	node init CONFIG             the first process of a node: prepares it, supervises its parts, reaps orphans
//	node pki CONFIG              writes the certificates and keys of a cluster
//	node lb CONFIG               gives LoadBalancer Services an address
//	node registry-front CONFIG   stands before the image registry and denies, limits or slows down some repositories
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: node init|pki|lb|registry-front CONFIG")
		os.Exit(2)
	}
	commands := map[string]func(string) error{
		"init":           runInit,
		"pki":            runPki,
		"lb":             runLoadBalancer,
		"registry-front": runRegistryFront,
	}
	command, known := commands[os.Args[1]]
	if !known {
		fmt.Fprintf(os.Stderr, "node: no command %q\n", os.Args[1])
		os.Exit(2)
	}
	if err := command(os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "node %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
