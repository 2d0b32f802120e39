package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// serveControl answers one line per connection: `start PART`, `stop PART`, `restart PART`, `kill PART`, `status`.
func serveControl(socket string, s *supervisor) error {
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			line, _ := bufio.NewReader(connection).ReadString('\n')
			fmt.Fprintln(connection, s.answer(strings.Fields(line)))
		}()
	}
}

func (s *supervisor) answer(words []string) string {
	if len(words) == 1 && words[0] == "status" {
		lines := make([]string, 0, len(s.order))
		for _, name := range s.order {
			lines = append(lines, fmt.Sprintf("%s %d", name, s.pidOf(s.states[name])))
		}
		return strings.Join(lines, "\n")
	}
	if len(words) != 2 {
		return "error: expected a verb and a part"
	}
	state, known := s.states[words[1]]
	if !known {
		return fmt.Sprintf("error: no part %q; there are %s", words[1], strings.Join(s.order, ", "))
	}
	switch words[0] {
	case "start":
		s.want(state, true)
		s.startIfWanted(state)
	case "stop":
		s.want(state, false)
		s.signal(state, syscall.SIGTERM)
	case "restart":
		s.want(state, false)
		s.signal(state, syscall.SIGTERM)
		s.want(state, true)
		s.startIfWanted(state)
	case "kill":
		s.signal(state, syscall.SIGKILL)
	default:
		return fmt.Sprintf("error: no verb %q", words[0])
	}
	return "ok"
}
