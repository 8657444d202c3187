// Bun's own server (uWebSockets), with the shortest idle timeout that it takes: bun_ws.mjs [silent].
// It pings in time, so that a client which answers stays; "silent" has it not ping.

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, server) {
    return server.upgrade(request) ? undefined : new Response('a WebSocket is wanted', { status: 426 })
  },
  websocket: {
    idleTimeout: 8,
    sendPings: process.argv[2] !== 'silent',
    maxPayloadLength: 10_000,
    message(ws, data) {
      if (data === '{"type":"ping"}') ws.send('{"type":"pong"}')
    },
  },
})

console.log(`READY ${server.port}`)
