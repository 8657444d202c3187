// Servers of other makers, one a run: node protocol_servers.mjs NAME. Each prints READY and its port, and has
// timers so short that a test need not wait.
import http from 'node:http';

const name = process.argv[2];
const server = http.createServer();

const servers = {
  async 'socketio'(options = {}) {
    const { Server } = await import('socket.io');
    const io = new Server(server, { pingInterval: 300, pingTimeout: 600, connectTimeout: 1500, ...options });
    // With recovery, an event carries the offset that a client comes back with.
    io.on('connection', (socket) => socket.emit('hi'));
  },
  async 'socketio-recovery'() {
    await servers.socketio({ connectionStateRecovery: {} });
  },
  async 'graphql-transport-ws'() {
    const { WebSocketServer } = await import('ws');
    const { useServer } = await import('graphql-ws/use/ws');
    const { buildSchema } = await import('graphql');
    const schema = buildSchema('type Query { hello: String }');
    useServer({ schema, connectionInitWaitTimeout: 1500 }, new WebSocketServer({ server }), 12_000);
  },
  async 'mqtt'() {
    const { WebSocketServer, createWebSocketStream } = await import('ws');
    const { Aedes } = await import('aedes');
    const broker = await Aedes.createBroker({ connectTimeout: 1500 });
    const sockets = new WebSocketServer({ server, handleProtocols: () => 'mqtt' });
    sockets.on('connection', (socket, request) => broker.handle(createWebSocketStream(socket), request));
  },
  async 'socketcluster'() {
    const { default: socketcluster } = await import('socketcluster-server');
    socketcluster.attach(server, { pingInterval: 300, pingTimeout: 900, handshakeTimeout: 1500 });
  },
};

await servers[name]();
server.listen(0, '127.0.0.1', () => console.log(`READY ${server.address().port}`));
