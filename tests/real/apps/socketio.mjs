// Socket.IO, with a second between two Engine.IO pings and 1.5 s for the answer.

import http from 'node:http'
import { Server } from 'socket.io'

const server = http.createServer()
new Server(server, { pingInterval: 1000, pingTimeout: 1500, maxHttpBufferSize: 10_000 })
server.listen(0, '127.0.0.1', () => console.log(`READY ${server.address().port}`))
