package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// A window collects the requests that were sent within it. It is printed, as a line of JSON, once the last of them has
// ended; windows come in order.
type window struct {
	// FromMs is when it begins, in milliseconds since the epoch.
	FromMs int64 `json:"fromMs"`
	// UntilMs is when the last of its requests had ended.
	UntilMs int64 `json:"untilMs"`
	Sent    int   `json:"sent"`
	// Answers counts those with a status of 2xx by their X-Version.
	Answers map[string]int `json:"answers"`
	// Lost counts all others by what went wrong.
	Lost map[string]int `json:"lost,omitempty"`

	pending int
}

// loadResult is the last line.
type loadResult struct {
	Sent      int     `json:"sent"`
	Lost      int     `json:"lost"`
	PerSecond float64 `json:"perSecond"`
	// LateMs is how far behind its schedule the load was at worst: more than a moment means that the machine is too slow.
	LateMs int64 `json:"lateMs"`
}

const windowLength = 100 * time.Millisecond

type load struct {
	address string
	request []byte
	rate    float64
	timeout time.Duration

	mutex   sync.Mutex
	windows []*window
	lost    int
	output  *json.Encoder
}

// runLoad is the subcommand `load`: so many requests a second, each on a connection of its own, sent when their time has
// come and not when the one before was answered, until a signal comes or the duration is over.
func runLoad(arguments []string) {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	target := flags.String("url", "", "where the requests go: http://10.0.0.1/version")
	rate := flags.Float64("rate", 500, "requests per second")
	duration := flags.Duration("duration", 10*time.Minute, "ends by itself after this long")
	timeout := flags.Duration("timeout", 5*time.Second, "a request without an answer by then is lost")
	_ = flags.Parse(arguments)
	l, err := newLoad(*target, *rate, *timeout, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ctwoc load:", err)
		os.Exit(2)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	l.run(*duration, stop)
}

func newLoad(target string, rate float64, timeout time.Duration, output io.Writer) (*load, error) {
	parsed, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	if parsed.Scheme != "http" || parsed.Hostname() == "" {
		return nil, fmt.Errorf("--url is %q; expected an address such as http://10.0.0.1/version", target)
	}
	if rate <= 0 {
		return nil, fmt.Errorf("--rate is %v; expected a number above 0", rate)
	}
	port := parsed.Port()
	if port == "" {
		port = "80"
	}
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", parsed.RequestURI(), parsed.Host)
	return &load{
		address: net.JoinHostPort(parsed.Hostname(), port),
		request: []byte(request),
		rate:    rate,
		timeout: timeout,
		output:  json.NewEncoder(output),
	}, nil
}

func (l *load) run(duration time.Duration, stop <-chan os.Signal) {
	started := time.Now()
	sent, late := 0, time.Duration(0)
	var requests sync.WaitGroup
	for running := true; running; {
		due := started.Add(time.Duration(float64(sent) / l.rate * float64(time.Second)))
		if due.Sub(started) >= duration {
			break
		}
		select {
		case <-stop:
			running = false
		case <-time.After(time.Until(due)):
			sent++
			late = max(late, time.Since(due))
			current := l.open(time.Now())
			requests.Go(func() { l.close(current, l.send()) })
		}
	}
	elapsed := time.Since(started)
	requests.Wait()
	l.flush(math.MaxInt64)
	perSecond := math.Round(float64(sent)/elapsed.Seconds()*10) / 10
	_ = l.output.Encode(loadResult{Sent: sent, Lost: l.lost, PerSecond: perSecond, LateMs: late.Milliseconds()})
}

// open counts a request as sent.
func (l *load) open(now time.Time) *window {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	from := now.Truncate(windowLength).UnixMilli()
	if count := len(l.windows); count == 0 || l.windows[count-1].FromMs != from {
		l.windows = append(l.windows, &window{FromMs: from, Answers: map[string]int{}, Lost: map[string]int{}})
		l.flushLocked(from)
	}
	current := l.windows[len(l.windows)-1]
	current.Sent++
	current.pending++
	return current
}

type outcome struct {
	version string
	// Empty when it was answered as it should be.
	problem string
}

func (l *load) close(w *window, o outcome) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if o.problem == "" {
		w.Answers[o.version]++
	} else {
		w.Lost[o.problem]++
		l.lost++
	}
	w.pending--
	w.UntilMs = max(w.UntilMs, time.Now().UnixMilli())
}

func (l *load) flush(before int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.flushLocked(before)
}

// flushLocked prints the windows that begin before this time and are complete, as far as none is left out.
func (l *load) flushLocked(before int64) {
	for len(l.windows) > 0 && l.windows[0].FromMs < before && l.windows[0].pending == 0 {
		_ = l.output.Encode(l.windows[0])
		l.windows = l.windows[1:]
	}
}

// send makes one request on a connection of its own. The connection ends with a reset, after the answer: at this rate,
// those that end in order would use up all ports, for each keeps its port for a minute.
func (l *load) send() outcome {
	deadline := time.Now().Add(l.timeout)
	dialer := net.Dialer{Deadline: deadline}
	connection, err := dialer.Dial("tcp", l.address)
	if err != nil {
		return outcome{problem: "connect: " + classOf(err)}
	}
	defer connection.Close()
	if tcp, isTCP := connection.(*net.TCPConn); isTCP {
		_ = tcp.SetLinger(0)
	}
	_ = connection.SetDeadline(deadline)
	if _, err := connection.Write(l.request); err != nil {
		return outcome{problem: "write: " + classOf(err)}
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return outcome{problem: "read: " + classOf(err)}
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return outcome{problem: "read: " + classOf(err)}
	}
	if response.StatusCode/100 != 2 {
		return outcome{problem: "status " + strconv.Itoa(response.StatusCode)}
	}
	return outcome{version: response.Header.Get("X-Version")}
}

// classOf names an error without the addresses in it, so that equal ones can be counted.
func classOf(err error) string {
	var number syscall.Errno
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed without an answer"
	case errors.As(err, &number):
		return number.Error()
	default:
		return err.Error()
	}
}
