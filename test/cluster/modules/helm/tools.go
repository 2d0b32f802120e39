//go:build tools

// Package helm pins the program that the benchmark runs beside the action.
package helm

import (
	_ "helm.sh/helm/v4/cmd/helm"
)
