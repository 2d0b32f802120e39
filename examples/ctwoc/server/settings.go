package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// settings is what the environment asks for; README.md lists the variables.
type settings struct {
	role          string
	port          string
	tlsPort       string
	tlsCert       string
	tlsKey        string
	config        string
	startDelay    time.Duration
	readyDelay    time.Duration
	neverReady    bool
	crashes       bool
	crashAfter    time.Duration
	crashMessage  string
	exitCode      int
	errorRate     float64
	latency       time.Duration
	memoryGrowth  int
	logLines      int
	startLog      []string
	startLogEvery time.Duration
	shutdownDelay time.Duration
	healthFails   bool
	healthAfter   time.Duration
}

func readSettings(getenv func(string) string) (settings, error) {
	reader := envReader{getenv: getenv}
	_, crashes := reader.given("CRASH_AFTER")
	_, healthFails := reader.given("HEALTH_FAIL_AFTER")
	result := settings{
		role:          reader.text("ROLE", "ctwoc"),
		port:          reader.text("PORT", "8080"),
		tlsPort:       reader.text("TLS_PORT", "8443"),
		tlsCert:       reader.text("TLS_CERT", ""),
		tlsKey:        reader.text("TLS_KEY", ""),
		config:        reader.text("CONFIG", "/etc/frontend/frontend.conf"),
		startDelay:    reader.duration("START_DELAY", 0),
		readyDelay:    reader.duration("READY_DELAY", 0),
		neverReady:    reader.boolean("NEVER_READY"),
		crashes:       crashes,
		crashAfter:    reader.duration("CRASH_AFTER", 0),
		crashMessage:  reader.text("CRASH_MESSAGE", "fatal: the sample was told to crash"),
		exitCode:      reader.integer("EXIT_CODE", 1),
		errorRate:     reader.share("ERROR_RATE"),
		latency:       reader.duration("LATENCY", 0),
		memoryGrowth:  reader.integer("MEMORY_GROWTH", 0),
		logLines:      reader.integer("LOG_LINES", 0),
		startLog:      reader.lines("START_LOG"),
		startLogEvery: reader.duration("START_LOG_EVERY", time.Second),
		shutdownDelay: reader.duration("SHUTDOWN_DELAY", 2*time.Second),
		healthFails:   healthFails,
		healthAfter:   reader.duration("HEALTH_FAIL_AFTER", 0),
	}
	switch result.role {
	case "auth", "ctwoc", "frontend":
	default:
		return settings{}, fmt.Errorf("ROLE is %q; expected auth, ctwoc or frontend", result.role)
	}
	return result, reader.err
}

// envReader keeps the first error, so that the settings read as one table.
type envReader struct {
	getenv func(string) string
	err    error
}

func (r *envReader) given(name string) (string, bool) {
	value := r.getenv(name)
	return value, value != ""
}

func (r *envReader) text(name, fallback string) string {
	if value, given := r.given(name); given {
		return value
	}
	return fallback
}

// lines takes one text with line ends; there is none without it.
func (r *envReader) lines(name string) []string {
	value, given := r.given(name)
	if !given {
		return nil
	}
	return strings.Split(strings.TrimRight(value, "\n"), "\n")
}

// duration takes what Go writes (1.5s, 2m); a number alone means seconds.
func (r *envReader) duration(name string, fallback time.Duration) time.Duration {
	value, given := r.given(name)
	if !given {
		return fallback
	}
	text := value
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		text += "s"
	}
	duration, err := time.ParseDuration(text)
	if err != nil || duration < 0 {
		r.reject(name, value, "a duration such as 1.5s")
	}
	return duration
}

func (r *envReader) integer(name string, fallback int) int {
	value, given := r.given(name)
	if !given {
		return fallback
	}
	number, err := strconv.Atoi(value)
	if err != nil || number < 0 {
		r.reject(name, value, "a whole number that is not negative")
	}
	return number
}

func (r *envReader) share(name string) float64 {
	value, given := r.given(name)
	if !given {
		return 0
	}
	number, err := strconv.ParseFloat(value, 64)
	if err != nil || !(number >= 0 && number <= 1) {
		r.reject(name, value, "a number from 0 to 1")
	}
	return number
}

func (r *envReader) boolean(name string) bool {
	value, given := r.given(name)
	if given && value != "true" && value != "false" {
		r.reject(name, value, "true or false")
	}
	return value == "true"
}

func (r *envReader) reject(name, value, expected string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s is %q; expected %s", name, value, expected)
	}
}
