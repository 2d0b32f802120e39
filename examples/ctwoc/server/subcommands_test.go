package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

func TestReapWaitsForEveryChildThatHasEnded(t *testing.T) {
	var children []int
	for range 3 {
		child, err := syscall.ForkExec("/bin/true", []string{"true"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, child)
	}
	// A child that has ended stays in the process table, as a zombie, until somebody has waited for it.
	for _, child := range children {
		waitFor(t, "the child has ended", func() bool {
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", child))
			return strings.Contains(string(status), "State:\tZ")
		})
	}
	reap()
	for _, child := range children {
		if err := syscall.Kill(child, 0); err != syscall.ESRCH {
			t.Errorf("child %d is still in the process table: %v", child, err)
		}
	}
}

func TestAJobPrintsItsTextAndEndsWithItsCode(t *testing.T) {
	if os.Getenv("RUN_JOB") != "" {
		runSubcommand("job", []string{"--exit", "3", "--sleep", "10ms", "--print", "half done"})
	}
	command := exec.Command(os.Args[0], "-test.run=^TestAJobPrintsItsTextAndEndsWithItsCode$")
	command.Env = append(os.Environ(), "RUN_JOB=true")
	output, _ := command.Output()
	if code := command.ProcessState.ExitCode(); code != 3 || !strings.Contains(string(output), "half done\n") {
		t.Errorf("ended with %d, printed %q", code, output)
	}
}
