package main

import (
	"bufio"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAStreamIsALineEachSecond(t *testing.T) {
	answer := get(start(t, settings{role: "ctwoc"}), "/stream?seconds=2")
	expectCode(t, answer, http.StatusOK)
	if body := answer.Body.String(); body != "1 of 2\n2 of 2\n" || !answer.Flushed {
		t.Errorf("got %q, flushed: %v", body, answer.Flushed)
	}
}

func TestAStreamTakesSecondsOnly(t *testing.T) {
	a := start(t, settings{role: "ctwoc"})
	for _, value := range []string{"0", "-1", "3601", "1m"} {
		expectCode(t, get(a, "/stream?seconds="+value), http.StatusBadRequest)
	}
}

// Longer than any limit of its own would be: only the grace period of the pod may cut a stream.
func TestAServerThatIsToldToEndFinishesItsStreamsAndTakesNoMore(t *testing.T) {
	port := freePort(t)
	stop := make(chan os.Signal, 1)
	ended := make(chan error, 1)
	go func() { ended <- serve(settings{role: "ctwoc", port: port}, stop) }()
	waitFor(t, "the server is ready", func() bool { return ask(port, "/readyz") == "ok\n" })

	response, err := http.Get("http://127.0.0.1:" + port + "/stream?seconds=7")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	if !lines.Scan() {
		t.Fatal("no line came")
	}
	stop <- syscall.SIGTERM
	waitFor(t, "it takes no more", func() bool { return strings.HasPrefix(ask(port, "/version"), "no answer") })
	last := lines.Text()
	for lines.Scan() {
		last = lines.Text()
	}
	if last != "7 of 7" {
		t.Errorf("the last line is %q", last)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it has not ended after its last stream")
	}
}
