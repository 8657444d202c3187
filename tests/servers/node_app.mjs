// The routes on node's ws.

import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { parseArgs } from 'node:util'
import { WebSocketServer } from 'ws'

const SUBPROTOCOL = 'voice.v1'
const REASON = 'planned by the test'

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function story(ws, { silent, delay = 0 } = {}) {
  ws.on('message', (data, isBinary) => {
    const message = isBinary ? null : parse(data)
    if (silent && message?.type === silent) return
    if (message?.type === 'ping') {
      const pong = () => ws.send(JSON.stringify({ type: 'pong' }), () => {})
      delay ? setTimeout(pong, delay * 1000) : pong()
    } else if (message?.type === 'session_info' && 'session_id' in message) {
      ws.send(JSON.stringify({ type: 'session_confirmed', session_id: message.session_id }))
    } else {
      ws.send(data, { binary: isBinary })
    }
  })
  // An error closes the connection as well; unheard, it would end the process.
  ws.on('error', () => {})
  ws.send(JSON.stringify({ type: 'connection_established' }))
}

function later(query, action) {
  setTimeout(action, Number(query.get('after') ?? 0.2) * 1000)
}

const routes = {
  ws: (ws) => story(ws),
  deaf: (ws) => story(ws, { silent: 'ping' }),
  unconfirmed: (ws) => story(ws, { silent: 'session_info' }),
  slow: (ws, query) => story(ws, { delay: Number(query.get('delay')) }),
  big: (ws, query) => {
    story(ws)
    ws.send('x'.repeat(Number(query.get('bytes'))))
  },
  close: (ws, query, code) => {
    story(ws)
    later(query, () => {
      try {
        ws.close(Number(code), REASON)
      } catch {
        // A code that no endpoint may send. Uncaught, it would end the process.
        ws.terminate()
      }
    })
  },
  drop: (ws, query) => {
    story(ws)
    later(query, () => ws.terminate())
  },
}

function refuse(socket, status) {
  const body = `no entry: status ${status}\n`
  const head = [
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Unknown'}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '0' }, certfile: { type: 'string' }, keyfile: { type: 'string' } },
})
const server = options.certfile
  ? https.createServer({ cert: readFileSync(options.certfile), key: readFileSync(options.keyfile) })
  : http.createServer()
const sockets = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
})

server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => {})
  const { pathname, searchParams } = new URL(request.url, 'ws://localhost')
  const [, route, parameter] = pathname.split('/')
  if (route === 'refuse') return refuse(socket, Number(parameter))
  if (!Object.hasOwn(routes, route)) return refuse(socket, 404)
  sockets.handleUpgrade(request, socket, head, (ws) => routes[route](ws, searchParams, parameter))
})
server.listen(Number(options.port), '127.0.0.1', () => console.log(`READY ${server.address().port}`))

function stop() {
  for (const ws of sockets.clients) ws.terminate()
  server.close(() => process.exit(0))
  server.closeAllConnections()
}
process.on('SIGTERM', stop)
process.stdin.on('end', stop).resume()
