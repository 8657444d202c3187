// A server with gorilla/websocket whose routes are its query: /ws?deadline=3s&reset=pong&ping=2700ms&limit=1000&stream=1s
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

func duration(query url.Values, name string) time.Duration {
	value, _ := time.ParseDuration(query.Get(name))
	return value
}

func serve(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	query := r.URL.Query()
	deadline, reset := duration(query, "deadline"), query.Get("reset")
	extend := func() { conn.SetReadDeadline(time.Now().Add(deadline)) }
	if deadline > 0 {
		extend()
	}
	if reset == "pong" || reset == "message" {
		conn.SetPongHandler(func(string) error { extend(); return nil })
	}
	if limit, err := strconv.ParseInt(query.Get("limit"), 10, 64); err == nil {
		conn.SetReadLimit(limit)
	}
	var writing sync.Mutex
	done := make(chan struct{})
	defer close(done)
	go every(duration(query, "ping"), done, func() error {
		return conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
	})
	say := func(text string) error {
		writing.Lock()
		defer writing.Unlock()
		return conn.WriteMessage(websocket.TextMessage, []byte(text))
	}
	go every(duration(query, "stream"), done, func() error { return say("tick") })
	for {
		_, message, err := conn.ReadMessage()
		if err != nil {
			log.Print(err)
			return
		}
		if reset == "message" {
			extend()
		}
		if string(message) == `{"type":"ping"}` {
			say(`{"type":"pong"}`)
		}
	}
}

func every(interval time.Duration, done <-chan struct{}, act func() error) {
	if interval <= 0 {
		return
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
			if act() != nil {
				return
			}
		}
	}
}

func main() {
	http.HandleFunc("/ws", serve)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("READY", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, nil))
}
