// The messages of one association: puts fragments together, writes objects to the inbox and answers each only when it is durable
// there. A peer that breaks the rules of fragments (PS3.8 Annex E) is cut off.
import type { InboxEntryWriter } from '../inbox.ts';
import { InboxError } from '../inbox-error.ts';
import {
  commandField,
  type DimseCommand,
  dimseStatus,
  encodeResponse,
  isUid,
  maxCommandBytes,
  parseCommand,
} from './dimse-message.ts';
import { encodeFileMeta } from './part-ten-meta.ts';
import { encodeCommandPdu } from './pdu.ts';
import type { Fragment } from './pdu-reader.ts';
import { type AcceptedContext, isStorageClass, verificationClass } from './presentation-contexts.ts';
import { AssociationFault } from './receiver-fault.ts';

export interface ExchangeLimits {
  readonly maxObjectBytes: number;
  /** C-ECHO requests in one association. */
  readonly maxEchoCount: number;
}

export interface ExchangeOptions {
  readonly contexts: ReadonlyMap<number, AcceptedContext>;
  /** @param name of the file that the object would be */
  readonly openEntry: (name: string) => InboxEntryWriter;
  readonly limits: ExchangeLimits;
}

export interface ExchangeCounts {
  objectCount: number;
  refusedCount: number;
  echoCount: number;
  byteCount: number;
}

interface RunningStore {
  readonly command: DimseCommand;
  readonly entry: InboxEntryWriter | undefined;
  /** Set where the object will not be taken; what comes of it is thrown away. */
  status: number | undefined;
  byteCount: number;
}

/** Fragments without a byte in one association: they cost us work and the peer nothing. */
const maxEmptyFragments = 1_000;

export class MessageExchange {
  readonly counts: ExchangeCounts = { objectCount: 0, refusedCount: 0, echoCount: 0, byteCount: 0 };
  readonly #options: ExchangeOptions;
  #contextId: number | undefined;
  #commandParts: Buffer[] = [];
  #commandBytes = 0;
  #store: RunningStore | undefined;
  #emptyCount = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** Takes the next fragment; gives the answer, as a PDU, when it ends a message. @throws AssociationFault. */
  async take(fragment: Fragment): Promise<Buffer | undefined> {
    const { contextId, isCommand, bytes } = fragment;
    const context = this.#options.contexts.get(contextId);
    // A message keeps to one context that was accepted, and its data set follows its command.
    if (context === undefined || (this.#contextId ?? contextId) !== contextId)
      throw new AssociationFault('MALFORMED_DIMSE');
    if (isCommand !== (this.#store === undefined)) throw new AssociationFault('MALFORMED_DIMSE');
    if (bytes.length === 0) this.#emptyCount += 1;
    if (this.#emptyCount > maxEmptyFragments) throw new AssociationFault('MALFORMED_DIMSE');
    this.#contextId = contextId;
    const answer = isCommand ? this.#takeCommand(fragment, context) : await this.#takeData(fragment);
    if (answer === undefined) return undefined;
    return encodeCommandPdu(contextId, answer);
  }

  /** What was not whole is gone. */
  async abandon(): Promise<void> {
    const entry = this.#store?.entry;
    this.#store = undefined;
    await entry?.abandon();
  }

  #takeCommand({ isLast, bytes }: Fragment, context: AcceptedContext): Buffer | undefined {
    this.#commandBytes += bytes.length;
    if (this.#commandBytes > maxCommandBytes) throw new AssociationFault('MALFORMED_DIMSE');
    this.#commandParts.push(bytes);
    if (!isLast) return undefined;
    const command = parseCommand(Buffer.concat(this.#commandParts));
    this.#commandParts = [];
    this.#commandBytes = 0;
    if (command.field === commandField.storeRequest) return this.#beginStore(command, context);
    this.#contextId = undefined;
    if (command.hasDataSet) throw new AssociationFault('MALFORMED_DIMSE');
    if (command.field === commandField.cancelRequest) return undefined;
    if (command.field === commandField.echoRequest) return this.#echo(command, context);
    throw new AssociationFault('MALFORMED_DIMSE');
  }

  #echo(command: DimseCommand, context: AcceptedContext): Buffer {
    this.counts.echoCount += 1;
    // A flood of requests that store nothing.
    if (this.counts.echoCount > this.#options.limits.maxEchoCount) throw new AssociationFault('ECHO_FLOOD');
    const isVerification = context.abstractSyntax === verificationClass;
    return encodeResponse(command, isVerification ? dimseStatus.success : dimseStatus.sopClassNotSupported);
  }

  #beginStore(command: DimseCommand, context: AcceptedContext): Buffer | undefined {
    const { sopClass, sopInstance } = command;
    let status: number | undefined;
    if (!isStorageClass(context.abstractSyntax) || sopClass !== context.abstractSyntax)
      status = dimseStatus.sopClassNotSupported;
    else if (!isUid(sopInstance)) status = dimseStatus.invalidSopInstance;
    if (!command.hasDataSet) {
      this.#contextId = undefined;
      this.counts.refusedCount += 1;
      return encodeResponse(command, status ?? dimseStatus.cannotUnderstand);
    }
    const entry = status === undefined ? this.#options.openEntry(`${sopInstance}.dcm`) : undefined;
    const { transferSyntax } = context;
    void entry?.write(encodeFileMeta({ sopClass, sopInstance, transferSyntax }));
    this.#store = { command, entry, status, byteCount: 0 };
    return undefined;
  }

  async #takeData({ isLast, bytes }: Fragment): Promise<Buffer | undefined> {
    const store = this.#store;
    if (store === undefined) throw new AssociationFault('MALFORMED_DIMSE');
    const { maxObjectBytes } = this.#options.limits;
    store.byteCount += bytes.length;
    if (store.status === undefined) await this.#keep(store, bytes);
    // Told of the refusal only at the object's end: who goes on far beyond it is cut off.
    if (store.byteCount > 2 * maxObjectBytes) throw new AssociationFault('OBJECT_TOO_LARGE');
    return isLast ? await this.#endStore(store) : undefined;
  }

  async #keep(store: RunningStore, bytes: Buffer): Promise<void> {
    if (store.byteCount > this.#options.limits.maxObjectBytes) {
      store.status = dimseStatus.outOfResources;
      await store.entry?.abandon();
      return;
    }
    await this.#unlessRefused(store, () => store.entry?.write(bytes));
  }

  async #endStore(store: RunningStore): Promise<Buffer> {
    if (store.status === undefined && store.byteCount === 0) {
      store.status = dimseStatus.cannotUnderstand;
      await store.entry?.abandon();
    }
    if (store.status === undefined) await this.#unlessRefused(store, () => store.entry?.commit());
    this.#store = undefined;
    this.#contextId = undefined;
    this.counts[store.status === undefined ? 'objectCount' : 'refusedCount'] += 1;
    if (store.status === undefined) this.counts.byteCount += store.byteCount;
    return encodeResponse(store.command, store.status ?? dimseStatus.success);
  }

  /** A full inbox is the sender's to wait for: it keeps the object. */
  async #unlessRefused(store: RunningStore, work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof InboxError)) throw error;
      store.status = dimseStatus.outOfResources;
      await store.entry?.abandon();
    }
  }
}
