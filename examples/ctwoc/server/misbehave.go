package main

import (
	"fmt"
	"os"
	"time"
)

// misbehave starts what the settings ask for: lines of log, a crash after a while, memory that grows.
func misbehave(settings settings) {
	for line := range settings.logLines {
		fmt.Printf("line %d of %d\n", line+1, settings.logLines)
	}
	if settings.crashes {
		time.AfterFunc(settings.crashAfter, func() {
			fmt.Fprintln(os.Stderr, settings.crashMessage)
			os.Exit(settings.exitCode)
		})
	}
	if settings.memoryGrowth > 0 {
		go growMemory(settings.memoryGrowth)
	}
}

// growMemory takes so many MiB each second and gives none back. Only memory that was written to counts as used, so it
// writes to each page.
func growMemory(mebibytes int) {
	var held [][]byte
	for {
		block := make([]byte, mebibytes<<20)
		for index := 0; index < len(block); index += os.Getpagesize() {
			block[index] = 1
		}
		held = append(held, block)
		time.Sleep(time.Second)
	}
}
