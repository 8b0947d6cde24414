// The HL7 v2 listener: MLLP over plain TCP or TLS, into the sealed inbox, one answer for each message. Who connects, how many, how
// long and with how large a message is bounded; on any interface but loopback the peers must be named or show a certificate.
import type { Socket } from 'node:net';
import { toHex } from '#base/bytes.ts';
import type { Clock } from '#base/clock.ts';
import { CodedError } from '#base/coded-error.ts';
import type { Logger } from '#base/logger.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { Inbox } from '../inbox.ts';
import type { ListenerPlace } from '../listener-settings.ts';
import { NetworkListener } from '../network-listener.ts';
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
  readonly #listener: NetworkListener;
  readonly #sockets = new Set<Socket>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: MllpListenerOptions) {
    const { settings, inbox, label, clock } = options;
    this.#options = options;
    this.#limits = { ...defaultMllpLimits, ...options.limits };
    this.#intake = new MllpIntake({ inbox, label, clock, processingIds: settings.processingIds });
    this.#listener = new NetworkListener({
      place: settings,
      maxConnections: this.#limits.maxConnections,
      handshakeMs: this.#limits.messageMs,
      clock,
      serve: (socket) => this.#serve(socket),
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  async listen(): Promise<void> {
    await this.#listener.listen();
  }

  async close(): Promise<void> {
    const closed = this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#running);
    await closed;
  }

  #serve(socket: Socket): void {
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
