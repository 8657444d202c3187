// The broken-connection loop of the README of ws, with a second in place of its thirty.

import http from 'node:http'
import { WebSocketServer } from 'ws'

const server = http.createServer()
const wss = new WebSocketServer({ server, maxPayload: 10_000 })

function heartbeat() {
  this.isAlive = true
}

wss.on('connection', (ws, request) => {
  ws.isAlive = true
  ws.on('error', console.error)
  ws.on('pong', heartbeat)
  ws.on('message', (data) => {
    if (data.toString() === '{"type":"ping"}') ws.send('{"type":"pong"}')
    else if (request.url === '/terminates') ws.terminate()
  })
})

setInterval(() => {
  wss.clients.forEach((ws) => {
    if (ws.isAlive === false) return ws.terminate()
    ws.isAlive = false
    ws.ping()
  })
}, 1000)

server.listen(0, '127.0.0.1', () => console.log(`READY ${server.address().port}`))
