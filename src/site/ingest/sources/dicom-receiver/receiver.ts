// The DICOM receiver: C-ECHO and C-STORE from allow-listed applications, over plain TCP or TLS, into the sealed inbox. How many
// connect, how fast and how long is bounded (X13).
import type { Socket } from 'node:net';
import { type Clock, isoTime } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import type { Inbox } from '../inbox.ts';
import type { ListenerPlace } from '../listener-settings.ts';
import { type ConnectionRefusal, NetworkListener } from '../network-listener.ts';
import { Association, type AssociationOptions, type AssociationReport } from './association.ts';
import type { AssociationRefusalCode } from './receiver-fault.ts';

export interface ReceiverSettings extends ListenerPlace {
  /** Title that callers must name. */
  readonly aeTitle: string;
  /** Titles that may call; none but these. */
  readonly callingAeTitles: readonly string[];
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

const refusalCode: Readonly<Record<ConnectionRefusal, AssociationRefusalCode>> = {
  CONNECTION_LIMIT: 'ASSOCIATION_LIMIT',
  PEER_NOT_ALLOWED: 'PEER_NOT_ALLOWED',
  TLS_REFUSED: 'TLS_REFUSED',
};

class Receiver implements DicomReceiver {
  readonly #options: ReceiverOptions;
  readonly #limits: ReceiverLimits;
  readonly #listener: NetworkListener;
  readonly #associations = new Set<Association>();
  readonly #running = new Set<Promise<void>>();
  #establishedCount = 0;

  constructor(options: ReceiverOptions) {
    const { settings, clock } = options;
    this.#options = options;
    this.#limits = { ...defaultReceiverLimits, ...options.limits };
    this.#listener = new NetworkListener({
      place: settings,
      maxConnections: this.#limits.maxAssociations + halfOpenConnections,
      handshakeMs: this.#limits.artimMs,
      clock,
      serve: (socket) => this.#serve(socket),
      onRefusal: (refusal) => this.#refuse(refusalCode[refusal]),
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
    for (const association of this.#associations) association.abort('RECEIVER_CLOSED');
    const cutOff = setTimeout(() => {
      for (const association of this.#associations) association.abort('RECEIVER_CLOSED');
    }, partingMs);
    await Promise.all(this.#running);
    clearTimeout(cutOff);
    await closed;
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
