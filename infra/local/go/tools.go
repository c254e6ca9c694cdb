//go:build tools

// Package local pins the versions of the tools that the local stack builds.
package local

import _ "github.com/f1bonacc1/process-compose/src"
