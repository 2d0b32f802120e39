//go:build tools

// Package act pins the runner of workflow files.
package act

import (
	_ "github.com/nektos/act"
)
