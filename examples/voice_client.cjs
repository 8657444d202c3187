// A client with node's ws (npm install ws): node voice_client.cjs URL SECONDS_BETWEEN_HEARTBEATS
'use strict'

const WebSocket = require('ws')

const [url, every] = process.argv.slice(2)
const socket = new WebSocket(url)
let timer

socket.on('message', (data) => {
  const message = JSON.parse(data)
  if (message.type === 'connection_established') {
    socket.send(JSON.stringify({ type: 'session_info', session_id: 'call-1' }))
  } else if (message.type === 'session_confirmed') {
    timer ??= setInterval(() => socket.send(JSON.stringify({ type: 'ping' })), Number(every) * 1000)
  }
})
socket.on('close', (code) => {
  clearInterval(timer)
  console.log(`closed with ${code}`)
})
process.on('SIGTERM', () => socket.close(1000, 'told to stop'))
