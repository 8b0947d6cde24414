// One association as its acceptor sees it (PS3.8 section 9.2): awaiting the request (Sta2), data transfer (Sta6), awaiting the
// connection's end (Sta13). Every wait has a timer, every refusal its reason.
import type { Socket } from 'node:net';
import { type ExchangeCounts, type ExchangeOptions, MessageExchange } from './message-exchange.ts';
import { implementationClassUid, implementationVersionName } from './part-ten-meta.ts';
import {
  type AssociateRequest,
  encodeAbort,
  encodeAssociateAccept,
  encodeAssociateReject,
  encodeReleaseResponse,
  type Pdu,
  parseAssociateRequest,
  pduType,
  type Rejection,
} from './pdu.ts';
import { type Fragment, PduReader } from './pdu-reader.ts';
import { answerContexts, dicomApplicationContext } from './presentation-contexts.ts';
import {
  AssociationFault,
  type AssociationFaultCode,
  type AssociationRefusalCode,
} from './receiver-fault.ts';

export interface AssociationOptions extends Pick<ExchangeOptions, 'openEntry'> {
  readonly aeTitle: string;
  readonly callingAeTitles: readonly string[];
  readonly limits: ExchangeOptions['limits'] & {
    readonly maxPduBytes: number;
    /** ARTIM: how long a connection may stay without a request, or stay on after its end. */
    readonly artimMs: number;
    /** How long the next PDU may take until it is whole. */
    readonly idleMs: number;
  };
  /** Asked when a request is otherwise good: whether there is room for one more association. */
  readonly admit: () => boolean;
}

export interface AssociationReport extends Readonly<ExchangeCounts> {
  /** A configured title; null where none was accepted. */
  readonly callingAe: string | null;
  readonly refusal: AssociationRefusalCode | null;
  /** Null where it was released in order, or refused. */
  readonly fault: AssociationFaultCode | null;
}

/** PS3.8 Table 9-21. */
const rejections: Readonly<Partial<Record<AssociationRefusalCode, Rejection>>> = {
  DICOM_VERSION_UNKNOWN: { result: 1, source: 2, reason: 2 },
  APPLICATION_CONTEXT_UNKNOWN: { result: 1, source: 1, reason: 2 },
  CALLING_AE_UNKNOWN: { result: 1, source: 1, reason: 3 },
  CALLED_AE_UNKNOWN: { result: 1, source: 1, reason: 7 },
  ASSOCIATION_LIMIT: { result: 2, source: 3, reason: 2 },
};

const abortReason: Readonly<Partial<Record<AssociationFaultCode, 1 | 2 | 6>>> = {
  MALFORMED_PDU: 1,
  UNEXPECTED_PDU: 2,
  PDU_TOO_LARGE: 6,
  MALFORMED_DIMSE: 6,
};

export class Association {
  readonly #socket: Socket;
  readonly #options: AssociationOptions;
  readonly #reader: PduReader;
  #timer: NodeJS.Timeout;
  #state: 'awaiting-request' | 'established' | 'closing' = 'awaiting-request';
  #exchange: MessageExchange | undefined;
  #callingAe: string | null = null;
  #refusal: AssociationRefusalCode | null = null;
  #fault: AssociationFaultCode | null = null;

  constructor(socket: Socket, options: AssociationOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#reader = new PduReader(options.limits.maxPduBytes);
    // A half-open association holds its place no longer than this.
    this.#timer = setTimeout(() => this.#expire(), options.limits.artimMs);
  }

  /** Serves the association to its end, and says what came of it. Only bugs are thrown. */
  async run(): Promise<AssociationReport> {
    try {
      for await (const chunk of this.#socket) {
        if (this.#state === 'closing') continue;
        this.#reader.push(chunk);
        await this.#takePdus();
      }
      if (this.#state !== 'closing') this.#fault = 'ASSOCIATION_ABORTED';
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error || 'syscall' in error)) throw error;
      if (this.#state !== 'closing') this.#fault = 'ASSOCIATION_ABORTED';
    } finally {
      clearTimeout(this.#timer);
      this.#socket.destroy();
      await this.#exchange?.abandon();
    }
    const counts = this.#exchange?.counts ?? { objectCount: 0, refusedCount: 0, echoCount: 0, byteCount: 0 };
    return { ...counts, callingAe: this.#callingAe, refusal: this.#refusal, fault: this.#fault };
  }

  /** Ends the association at once. */
  abort(code: AssociationFaultCode): void {
    if (this.#state === 'closing') {
      this.#socket.destroy();
      return;
    }
    this.#fault = code;
    this.#end(encodeAbort(abortReason[code] ?? 0));
  }

  async #takePdus(): Promise<void> {
    try {
      for (let unit = this.#reader.next(); unit !== undefined; unit = this.#reader.next()) {
        if (unit.kind === 'fragment') await this.#takeFragment(unit.fragment);
        else if (this.#state === 'awaiting-request') this.#takeRequest(unit.pdu);
        else this.#takePdu(unit.pdu);
        if (this.#hasEnded()) return;
        // Renewed with each whole PDU, not with each byte: a peer that sends one byte a minute does not hold on.
        if (unit.kind === 'pdu' || unit.endsPdu) this.#timer.refresh();
      }
    } catch (error) {
      if (!(error instanceof AssociationFault)) throw error;
      this.abort(error.code);
    }
  }

  #hasEnded(): boolean {
    return this.#state === 'closing';
  }

  #takeRequest({ type, body }: Pdu): void {
    if (type === pduType.abort) {
      this.#close('ASSOCIATION_ABORTED');
      return;
    }
    if (type !== pduType.associateRequest) throw new AssociationFault('UNEXPECTED_PDU');
    const request = parseAssociateRequest(body);
    const refusal = this.#findRefusal(request);
    if (refusal !== undefined) {
      this.#refusal = refusal;
      this.#end(encodeAssociateReject(rejections[refusal] ?? { result: 1, source: 1, reason: 1 }));
      return;
    }
    const { openEntry, limits } = this.#options;
    const { answers, accepted } = answerContexts(request.contexts);
    this.#callingAe = request.callingAe;
    this.#exchange = new MessageExchange({ contexts: accepted, openEntry, limits });
    this.#state = 'established';
    this.#startTimer(limits.idleMs);
    this.#socket.write(
      encodeAssociateAccept({
        titles: request.titles,
        applicationContext: dicomApplicationContext,
        contexts: answers,
        maxLength: limits.maxPduBytes,
        implementationClassUid,
        implementationVersionName,
      }),
    );
  }

  #findRefusal(request: AssociateRequest): AssociationRefusalCode | undefined {
    const { aeTitle, callingAeTitles, admit } = this.#options;
    if ((request.version & 1) === 0) return 'DICOM_VERSION_UNKNOWN';
    if (request.applicationContext !== dicomApplicationContext) return 'APPLICATION_CONTEXT_UNKNOWN';
    // Titles are no proof of who calls, but keep out who does not even know them.
    if (request.calledAe !== aeTitle) return 'CALLED_AE_UNKNOWN';
    if (!callingAeTitles.includes(request.callingAe)) return 'CALLING_AE_UNKNOWN';
    return admit() ? undefined : 'ASSOCIATION_LIMIT';
  }

  #takePdu({ type }: Pdu): void {
    if (type === pduType.releaseRequest) this.#end(encodeReleaseResponse());
    else if (type === pduType.abort) this.#close('ASSOCIATION_ABORTED');
    else throw new AssociationFault('UNEXPECTED_PDU');
  }

  async #takeFragment(fragment: Fragment): Promise<void> {
    if (this.#exchange === undefined) throw new AssociationFault('UNEXPECTED_PDU');
    const answer = await this.#exchange.take(fragment);
    if (answer !== undefined && !this.#hasEnded()) this.#socket.write(answer);
  }

  /** Says the last word and waits, not for long, until the peer has heard it. */
  #end(lastPdu: Buffer): void {
    this.#state = 'closing';
    this.#startTimer(Math.min(this.#options.limits.artimMs, 5_000));
    this.#socket.end(lastPdu);
  }

  #close(fault: AssociationFaultCode): void {
    this.#fault = fault;
    this.#state = 'closing';
    this.#socket.destroy();
  }

  #expire(): void {
    if (this.#state === 'closing') this.#socket.destroy();
    else this.abort('ASSOCIATION_TIMEOUT');
  }

  #startTimer(timeoutMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#expire(), timeoutMs);
  }
}
