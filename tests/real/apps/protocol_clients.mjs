// Clients of other makers, one a run: node protocol_clients.mjs NAME URL. Each opens, begins its session, and
// sends or answers heartbeats every 0.3 s (MQTT: every second, it counts in seconds) until it is ended.
import WebSocket from 'ws';

global.WebSocket = WebSocket;
const [name, url] = process.argv.slice(2);
const every = 300;

const clients = {
  async 'socketio'() {
    const { io } = await import('socket.io-client');
    io(url, { transports: ['websocket'] });
  },
  async 'graphql-transport-ws'() {
    const { createClient } = await import('graphql-ws');
    createClient({ url, webSocketImpl: WebSocket, keepAlive: every, lazy: false });
  },
  async 'phoenix'() {
    const { Socket } = await import('phoenix');
    const socket = new Socket(`${url}socket`, { transport: WebSocket, heartbeatIntervalMs: every });
    socket.connect();
    socket.channel('room:lobby', {}).join();
  },
  async 'signalr'() {
    const { HubConnectionBuilder, LogLevel } = await import('@microsoft/signalr');
    const hub = new HubConnectionBuilder()
      .withUrl(url.replace('ws:', 'http:'), { skipNegotiation: true, transport: 1 })
      .configureLogging(LogLevel.None).withAutomaticReconnect().build();
    hub.keepAliveIntervalInMilliseconds = every;
    await hub.start();
  },
  async 'stomp'() {
    const { Client } = await import('@stomp/stompjs');
    new Client({ brokerURL: url, heartbeatOutgoing: every, heartbeatIncoming: every, reconnectDelay: 200 }).activate();
  },
  async 'mqtt'() {
    const { default: mqtt } = await import('mqtt');
    mqtt.connect(url, { keepalive: 1, reconnectPeriod: 200 });
  },
};

await clients[name]();
