// Command registry is the image registry of the cluster: distribution with its driver for files, and no other.
// The stock command takes the SDKs of three clouds along.
package main

import (
	"os"

	"github.com/distribution/distribution/v3/registry"

	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

func main() {
	if err := registry.RootCmd.Execute(); err != nil {
		os.Exit(1)
	}
}
