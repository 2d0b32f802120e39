//go:build tools

package main

import (
	_ "k8s.io/kubernetes/cmd/kubectl" // not a part of the node: what calls it waits for its start
)
