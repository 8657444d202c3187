// Clients of other makers, one a run: node protocol_clients.mjs NAME URL [own]. Each opens, begins its session, and
// sends or answers heartbeats every 0.3 s (MQTT and WAMP: every second, they count in seconds) until it is ended.
// With `own`, all timers are the client's own.
import WebSocket from 'ws';

global.WebSocket = WebSocket;
const [name, url, timers] = process.argv.slice(2);
const own = timers === 'own';
const every = 300;
// Options that only a client in a hurry is given.
const hurried = (options) => (own ? {} : options);

const clients = {
  async 'socketio'() {
    const { io } = await import('socket.io-client');
    io(url, { transports: ['websocket'] });
  },
  async 'graphql-transport-ws'() {
    const { createClient } = await import('graphql-ws');
    createClient({ url, webSocketImpl: WebSocket, lazy: false, ...hurried({ keepAlive: every, connectionAckWaitTimeout: 5000 }) });
  },
  async 'phoenix'() {
    const { Socket } = await import('phoenix');
    const socket = new Socket(`${url}socket`, { transport: WebSocket, ...hurried({ heartbeatIntervalMs: every }) });
    socket.connect();
    socket.channel('room:lobby', {}).join();
  },
  async 'signalr'() {
    const { HubConnectionBuilder, LogLevel } = await import('@microsoft/signalr');
    const hub = new HubConnectionBuilder()
      .withUrl(url.replace('ws:', 'http:'))
      .configureLogging(LogLevel.None).withAutomaticReconnect().build();
    Object.assign(hub, hurried({ keepAliveIntervalInMilliseconds: every }));
    await hub.start();
  },
  async 'stomp'() {
    const { Client } = await import('@stomp/stompjs');
    const options = hurried({ heartbeatOutgoing: every, heartbeatIncoming: every, reconnectDelay: 200 });
    new Client({ brokerURL: url, ...options }).activate();
  },
  async 'actioncable'() {
    const { adapters, createConsumer } = await import('@rails/actioncable');
    adapters.WebSocket = WebSocket;
    // What a browser has, and the monitor of the connection listens to.
    global.addEventListener = global.removeEventListener = () => {};
    global.document = { visibilityState: 'visible' };
    createConsumer(`${url}cable`).subscriptions.create({ channel: 'ChatChannel', room: '1' });
  },
  async 'pusher'() {
    const { default: Pusher } = await import('pusher-js');
    const { hostname, port } = new URL(url);
    const options = { wsHost: hostname, wsPort: port, forceTLS: false, enabledTransports: ['ws'], cluster: 'x' };
    new Pusher('KEY', options).subscribe('my-channel');
  },
  async 'wamp'() {
    // In what looks like a browser it sends no pings.
    delete global.WebSocket;
    const { default: autobahn } = await import('autobahn');
    const transports = [{ type: 'websocket', url, protocols: ['wamp.2.json'], ...hurried({ autoping_interval: 1 }) }];
    new autobahn.Connection({ transports, realm: 'realm1' }).open();
  },
  async 'mqtt'(options = {}) {
    const { default: mqtt } = await import('mqtt');
    mqtt.connect(url, { ...hurried({ keepalive: 1, reconnectPeriod: 200 }), ...options });
  },
  async 'mqtt5'() {
    await clients.mqtt({ protocolVersion: 5 });
  },
  async 'sip'() {
    const { default: JsSIP } = await import('jssip');
    const sockets = [new JsSIP.WebSocketInterface(url)];
    new JsSIP.UA({ sockets, uri: 'sip:alice@127.0.0.1', register: false }).start();
  },
  async 'socketio-recovery'() {
    await clients.socketio();
  },
};

await clients[name]();
