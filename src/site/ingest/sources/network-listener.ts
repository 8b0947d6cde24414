// A listening socket of a source, over plain TCP or TLS (BCP 195): strangers and floods are turned away before a byte of theirs is read.
import { BlockList, createServer, isIP, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Clock } from '#base/clock.ts';
import type { ListenerPlace, ListenerTls } from './listener-settings.ts';

export type ConnectionRefusal = 'CONNECTION_LIMIT' | 'PEER_NOT_ALLOWED' | 'TLS_REFUSED';

export interface NetworkListenerOptions {
  readonly place: ListenerPlace;
  readonly maxConnections: number;
  /** How long a TLS handshake may take. */
  readonly handshakeMs: number;
  readonly clock: Clock;
  readonly serve: (socket: Socket) => void;
  /** Told of a connection that was turned away. */
  readonly onRefusal?: (refusal: ConnectionRefusal) => void;
}

/** New connections: so many at once, and so many a second. */
const connectionBurst = 200;
const connectionsPerSecond = 50;

export class NetworkListener {
  readonly #options: NetworkListenerOptions;
  readonly #server: Server;
  readonly #allowed: BlockList | null;
  readonly #pace: Pace;

  constructor(options: NetworkListenerOptions) {
    const { place, maxConnections, clock } = options;
    this.#options = options;
    this.#allowed = place.peers === null ? null : createAllowList(place.peers);
    this.#pace = new Pace(clock);
    this.#server = this.#createServer(place.tls);
    this.#server.maxConnections = maxConnections;
    this.#server.on('drop', () => this.#refuse('CONNECTION_LIMIT'));
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** @throws Error of the system, e.g. EADDRINUSE. */
  async listen(): Promise<void> {
    const { host, port } = this.#options.place;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    // An accept that fails (no descriptors left) ends that connection, not the site.
    this.#server.on('error', () => {});
  }

  /** Takes no new connection; resolves when the open ones have ended, which is the caller's to bring about. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #createServer(tls: ListenerTls | null): Server {
    const { serve, handshakeMs } = this.#options;
    if (tls === null) {
      // Nagle's algorithm would hold back each answer until the peer's delayed acknowledgement: 22 objects a second.
      const server = createServer({ noDelay: true });
      return server.on('connection', (socket) => this.#screen(socket) && serve(socket));
    }
    const server = createTlsServer({
      noDelay: true,
      cert: tls.certificate,
      key: tls.key,
      // BCP 195: no version below 1.2, forward secrecy and authenticated encryption only.
      minVersion: 'TLSv1.2',
      ciphers:
        'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:' +
        'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
      honorCipherOrder: true,
      handshakeTimeout: handshakeMs,
      ...(tls.callerAuthority === null
        ? {}
        : { ca: tls.callerAuthority, requestCert: true, rejectUnauthorized: true }),
    });
    server.prependListener('connection', (socket: Socket) => void this.#screen(socket));
    server.on('tlsClientError', (_error, socket) => {
      socket.destroy();
      this.#refuse('TLS_REFUSED');
    });
    return server.on('secureConnection', serve);
  }

  /** Whether the connection may go on. */
  #screen(socket: Socket): boolean {
    socket.on('error', () => {});
    const refusal = this.#isAllowed(socket)
      ? this.#pace.take()
        ? undefined
        : 'CONNECTION_LIMIT'
      : 'PEER_NOT_ALLOWED';
    if (refusal === undefined) return true;
    socket.destroy();
    this.#refuse(refusal);
    return false;
  }

  #isAllowed({ remoteAddress }: Socket): boolean {
    if (this.#allowed === null) return true;
    const address = (remoteAddress ?? '').replace(/^::ffff:/, '');
    const family = isIP(address);
    return family !== 0 && this.#allowed.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  #refuse(refusal: ConnectionRefusal): void {
    this.#options.onRefusal?.(refusal);
  }
}

/** A bucket of permissions that fills with time. */
class Pace {
  readonly #clock: Clock;
  #left = connectionBurst;
  #filledAtMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledAtMs = clock.nowMs();
  }

  take(): boolean {
    const nowMs = this.#clock.nowMs();
    const earned = (Math.max(0, nowMs - this.#filledAtMs) / 1_000) * connectionsPerSecond;
    this.#left = Math.min(connectionBurst, this.#left + earned);
    this.#filledAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/** @throws Error where an entry is no address or network. */
function createAllowList(peers: readonly string[]): BlockList {
  const list = new BlockList();
  for (const peer of peers) {
    const [address = '', prefix] = peer.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
