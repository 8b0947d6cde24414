// The HL7 v2 listener: MLLP over plain TCP or TLS, into the sealed inbox, one answer for each message. Who connects, how many, how
// long and with how large a message is bounded; on any interface but loopback the peers must be named or show a certificate.
import { BlockList, createServer, isIP, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { toHex } from '#base/bytes.ts';
import type { Clock } from '#base/clock.ts';
import { CodedError } from '#base/coded-error.ts';
import type { Logger } from '#base/logger.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { Inbox } from '../inbox.ts';
import type { ListenerPlace, ListenerTls } from '../listener-settings.ts';
import { encodeAnswer, type MllpAnswer } from './mllp-answer.ts';
import { encodeMllpFrame, MllpFrameReader } from './mllp-frame.ts';
import { MllpIntake, type MllpVerdict } from './mllp-intake.ts';

export class MllpError extends CodedError<'MLLP_PEERS_REQUIRED'> {}

export interface MllpSettings extends ListenerPlace {
  /** MSH-11 values that are taken. */
  readonly processingIds: readonly string[];
}

export interface MllpLimits {
  readonly maxMessageBytes: number;
  readonly maxConnections: number;
  /** How long a message may take until it is whole. */
  readonly messageMs: number;
  /** How long a connection may stay without a message. */
  readonly idleMs: number;
}

export const defaultMllpLimits: MllpLimits = {
  maxMessageBytes: 16_777_216,
  maxConnections: 16,
  messageMs: 30_000,
  idleMs: 3_600_000,
};

export interface MllpReport {
  /** Null where nothing was answered. */
  readonly answer: MllpAnswer | null;
  readonly isRepeated: boolean;
}

export interface MllpListenerOptions {
  readonly settings: MllpSettings;
  readonly limits?: Partial<MllpLimits>;
  readonly inbox: Pick<Inbox, 'append'>;
  /** The source's name at this site. */
  readonly label: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of every message, after its answer is on its way. */
  readonly onMessage?: (report: MllpReport) => void;
}

export interface MllpListener {
  readonly port: number;
  /** Stops listening and ends what is open. What was acknowledged is in the inbox. */
  close(): Promise<void>;
}

/** Listens. @throws MllpError MLLP_PEERS_REQUIRED, Error of the system, e.g. EADDRINUSE. */
export async function openMllpListener(options: MllpListenerOptions): Promise<MllpListener> {
  const { host, peers, tls } = options.settings;
  const isLoopback = host === 'localhost' || host === '::1' || /^127\./.test(host);
  // Whoever reaches the port could write records of any patient.
  if (!isLoopback && (peers ?? []).length === 0 && (tls?.callerAuthority ?? null) === null)
    throw new MllpError(
      'MLLP_PEERS_REQUIRED',
      'a listener on the network needs named peers or their certificates',
    );
  const listener = new Listener(options);
  await listener.listen();
  return listener;
}

class Listener implements MllpListener {
  readonly #options: MllpListenerOptions;
  readonly #limits: MllpLimits;
  readonly #intake: MllpIntake;
  readonly #server: Server;
  readonly #allowed: BlockList | null;
  readonly #sockets = new Set<Socket>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: MllpListenerOptions) {
    const { settings, inbox, label, clock } = options;
    this.#options = options;
    this.#limits = { ...defaultMllpLimits, ...options.limits };
    this.#intake = new MllpIntake({ inbox, label, clock, processingIds: settings.processingIds });
    this.#allowed = settings.peers === null ? null : createAllowList(settings.peers);
    this.#server = createListeningServer(settings.tls, (socket) => this.#serve(socket));
    this.#server.maxConnections = this.#limits.maxConnections;
    this.#server.on('connection', (socket: Socket) => {
      if (this.#allowed?.check(socket.remoteAddress ?? '', familyOf(socket)) === false) socket.destroy();
    });
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
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#running);
    await closed;
  }

  #serve(socket: Socket): void {
    if (socket.destroyed) return;
    this.#sockets.add(socket);
    const running = this.#answerAll(socket).finally(() => {
      this.#sockets.delete(socket);
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  async #answerAll(socket: Socket): Promise<void> {
    const frames = new MllpFrameReader(this.#limits.maxMessageBytes);
    let timer: NodeJS.Timeout | undefined;
    const arm = (ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => socket.destroy(), ms);
    };
    arm(this.#limits.messageMs);
    try {
      for await (const chunk of socket) {
        const wasInFrame = frames.isInFrame;
        for (const message of frames.push(chunk)) {
          clearTimeout(timer);
          if (message === undefined) return;
          await this.#answer(socket, await this.#intake.take(message));
          arm(this.#limits.idleMs);
        }
        // Counted from the first byte of a message: a peer that sends one byte a minute does not hold on.
        if (frames.isInFrame && !wasInFrame) arm(this.#limits.messageMs);
      }
    } catch (error) {
      // A connection that breaks is the sender's to mend; what was not answered comes again. A bug must not end the site by a
      // message from the network, and its text could hold a value of that message.
      if (error instanceof Error && ('code' in error || 'syscall' in error)) return;
      this.#options.logger.error('an HL7 v2 connection ended by an error of this program');
    } finally {
      clearTimeout(timer);
      socket.destroy();
    }
  }

  async #answer(socket: Socket, { answer, header, isRepeated }: MllpVerdict): Promise<void> {
    if (answer !== null) {
      const nowMs = this.#options.clock.nowMs();
      const frame = encodeMllpFrame(
        encodeAnswer(answer, { header, answerId: toHex(systemRandom(8)), nowMs }),
      );
      await new Promise<void>((resolve) => socket.write(frame, () => resolve()));
      if (answer.code !== null)
        this.#options.logger.warn('an HL7 v2 message was refused', {
          answer: answer.kind,
          code: answer.code,
        });
    }
    this.#options.onMessage?.({ answer, isRepeated });
  }
}

function createListeningServer(tls: ListenerTls | null, serve: (socket: Socket) => void): Server {
  if (tls === null)
    return createServer({ noDelay: true }).on('connection', (socket) => setImmediate(serve, socket));
  const server = createTlsServer({
    noDelay: true,
    cert: tls.certificate,
    key: tls.key,
    // BCP 195.
    minVersion: 'TLSv1.2',
    requestCert: tls.callerAuthority !== null,
    rejectUnauthorized: tls.callerAuthority !== null,
    ...(tls.callerAuthority === null ? {} : { ca: tls.callerAuthority }),
    handshakeTimeout: 10_000,
  });
  // A failed handshake ends that connection.
  server.on('tlsClientError', () => {});
  return server.on('secureConnection', serve);
}

function createAllowList(peers: readonly string[]): BlockList {
  const list = new BlockList();
  for (const peer of peers) {
    const [address = '', bits] = peer.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

function familyOf({ remoteFamily }: Socket): 'ipv4' | 'ipv6' {
  return remoteFamily === 'IPv6' ? 'ipv6' : 'ipv4';
}
