// The DICOM receiver: C-ECHO and C-STORE from allow-listed applications, over plain TCP or TLS, into the sealed inbox. How many
// connect, how fast and how long is bounded (X13).
import { BlockList, createServer, isIP, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type Clock, isoTime } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import type { Inbox } from '../inbox.ts';
import { Association, type AssociationOptions, type AssociationReport } from './association.ts';
import type { AssociationRefusalCode } from './receiver-fault.ts';

export interface ReceiverSettings {
  /** Title that callers must name. */
  readonly aeTitle: string;
  /** Titles that may call; none but these. */
  readonly callingAeTitles: readonly string[];
  /** Interface to listen on. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Addresses or networks (`10.1.2.0/24`) that may connect; null: any that reaches the interface. */
  readonly peers: readonly string[] | null;
  readonly tls: ReceiverTls | null;
}

export interface ReceiverTls {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of the authority that signs callers' certificates; null: callers need none. */
  readonly callerAuthority: string | null;
}

export type ReceiverLimits = AssociationOptions['limits'] & { readonly maxAssociations: number };

export const defaultReceiverLimits: ReceiverLimits = {
  maxPduBytes: 262_144,
  artimMs: 30_000,
  idleMs: 60_000,
  maxObjectBytes: 2 * 2 ** 30,
  maxEchoCount: 1_000,
  maxAssociations: 16,
};

/** New connections: so many at once, and so many a second. */
const connectionBurst = 200;
const connectionsPerSecond = 50;
/** How long peers have to hear of the end. */
const partingMs = 500;
/** Connections that wait for their request, beside the associations. */
const halfOpenConnections = 16;

export interface ReceiverOptions {
  readonly settings: ReceiverSettings;
  readonly limits?: Partial<ReceiverLimits>;
  readonly inbox: Inbox;
  /** The source's name at this site. */
  readonly label: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of every connection, when it has ended. */
  readonly onEnd: (report: AssociationReport) => void;
}

export interface DicomReceiver {
  readonly port: number;
  /** Stops listening and cuts off what is open. What was acknowledged is in the inbox. */
  close(): Promise<void>;
}

/** Listens. @throws Error of the system, e.g. EADDRINUSE. */
export async function openDicomReceiver(options: ReceiverOptions): Promise<DicomReceiver> {
  const receiver = new Receiver(options);
  await receiver.listen();
  return receiver;
}

class Receiver implements DicomReceiver {
  readonly #options: ReceiverOptions;
  readonly #limits: ReceiverLimits;
  readonly #server: Server;
  readonly #allowed: BlockList | null;
  readonly #associations = new Set<Association>();
  readonly #running = new Set<Promise<void>>();
  readonly #pace: Pace;
  #establishedCount = 0;

  constructor(options: ReceiverOptions) {
    const { settings, clock } = options;
    this.#options = options;
    this.#limits = { ...defaultReceiverLimits, ...options.limits };
    this.#allowed = settings.peers === null ? null : createAllowList(settings.peers);
    this.#pace = new Pace(clock);
    this.#server = this.#createServer(settings.tls);
    this.#server.maxConnections = this.#limits.maxAssociations + halfOpenConnections;
    this.#server.on('drop', () => this.#refuse('ASSOCIATION_LIMIT'));
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options.settings;
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

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const association of this.#associations) association.abort('RECEIVER_CLOSED');
    const cutOff = setTimeout(() => {
      for (const association of this.#associations) association.abort('RECEIVER_CLOSED');
    }, partingMs);
    await Promise.all(this.#running);
    clearTimeout(cutOff);
    await closed;
  }

  #createServer(tls: ReceiverTls | null): Server {
    // Nagle's algorithm would hold back each answer until the peer's delayed acknowledgement: 22 objects a second.
    const serve = (socket: Socket) => this.#serve(socket);
    if (tls === null) {
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
      handshakeTimeout: this.#limits.artimMs,
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

  /** Whether the connection may go on. Stops floods and strangers before a byte of theirs is read. */
  #screen(socket: Socket): boolean {
    socket.on('error', () => {});
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const isAllowed = this.#allowed === null || (isIP(address) !== 0 && this.#allowed.check(address, family));
    const refusal = isAllowed ? (this.#pace.take() ? undefined : 'ASSOCIATION_LIMIT') : 'PEER_NOT_ALLOWED';
    if (refusal === undefined) return true;
    socket.destroy();
    this.#refuse(refusal);
    return false;
  }

  #serve(socket: Socket): void {
    const { settings, inbox, label, clock, logger, onEnd } = this.#options;
    socket.on('error', () => {});
    let isEstablished = false;
    const association = new Association(socket, {
      aeTitle: settings.aeTitle,
      callingAeTitles: settings.callingAeTitles,
      limits: this.#limits,
      openEntry: (name) =>
        inbox.openEntry({ kind: 'dicom-receiver', label, receivedAt: isoTime(clock.nowMs()), name }),
      admit: () => {
        if (this.#establishedCount >= this.#limits.maxAssociations) return false;
        this.#establishedCount += 1;
        isEstablished = true;
        return true;
      },
    });
    this.#associations.add(association);
    const running = association
      .run()
      .then(onEnd)
      // A bug of ours costs one association: whoever found it must not be able to stop the site with it.
      .catch(() => logger.error('an association failed'))
      .finally(() => {
        if (isEstablished) this.#establishedCount -= 1;
        this.#associations.delete(association);
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  #refuse(refusal: AssociationRefusalCode): void {
    const counts = { objectCount: 0, refusedCount: 0, echoCount: 0, byteCount: 0 };
    this.#options.onEnd({ ...counts, callingAe: null, refusal, fault: null });
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
export function createAllowList(peers: readonly string[]): BlockList {
  const list = new BlockList();
  for (const peer of peers) {
    const [address = '', prefix] = peer.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
