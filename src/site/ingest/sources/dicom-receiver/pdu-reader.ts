// Cuts a stream into PDUs, and a P-DATA-TF into its fragments as they come (PS3.8 9.3.1, 9.3.5): nothing waits for the end of a long
// PDU, and nothing is copied. A length is checked before its bytes are awaited.
import { type Pdu, pduType } from './pdu.ts';
import { AssociationFault } from './receiver-fault.ts';

const headerBytes = 6;
/** 128 presentation contexts with their transfer syntaxes fit well. */
const maxAssociateBytes = 262_144;

export interface Fragment {
  readonly contextId: number;
  readonly isCommand: boolean;
  readonly isLast: boolean;
  readonly bytes: Buffer;
}

/** A whole PDU that is no data, or what came of a fragment; a fragment in several pieces is as good as several fragments. */
export type ReadUnit =
  | { readonly kind: 'pdu'; readonly pdu: Pdu }
  | { readonly kind: 'fragment'; readonly fragment: Fragment; readonly endsPdu: boolean };

export class PduReader {
  readonly #maxDataBytes: number;
  #chunks: Buffer[] = [];
  #byteCount = 0;
  /** Of the P-DATA-TF that is being read. */
  #dataLeft = 0;
  /** Of the fragment that is being read. */
  #fragmentLeft = 0;
  #fragment = { contextId: 0, isCommand: false, isLast: false };

  /** @param maxDataBytes longest body of a P-DATA-TF, as it was offered to the peer */
  constructor(maxDataBytes: number) {
    this.#maxDataBytes = maxDataBytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#byteCount += chunk.length;
  }

  /** What comes next, or undefined until more has come. @throws AssociationFault PDU_TOO_LARGE, MALFORMED_PDU. */
  next(): ReadUnit | undefined {
    while (this.#dataLeft === 0) {
      const unit = this.#nextPdu();
      if (unit !== 'data') return unit;
    }
    if (this.#fragmentLeft > 0) return this.#nextPiece();
    return this.#beginFragment();
  }

  /** A whole PDU; `data` where a P-DATA-TF has begun. */
  #nextPdu(): ReadUnit | 'data' | undefined {
    if (this.#byteCount < headerBytes) return undefined;
    const header = this.#peek(headerBytes);
    const type = header[0] ?? 0;
    const length = header.readUInt32BE(2);
    this.#checkLength(type, length);
    if (type === pduType.data) {
      this.#take(headerBytes);
      this.#dataLeft = length;
      return 'data';
    }
    if (this.#byteCount < headerBytes + length) return undefined;
    const body = this.#take(headerBytes + length).subarray(headerBytes);
    return { kind: 'pdu', pdu: { type, body } };
  }

  #beginFragment(): ReadUnit | undefined {
    if (this.#dataLeft < headerBytes) throw new AssociationFault('MALFORMED_PDU');
    if (this.#byteCount < headerBytes) return undefined;
    const header = this.#take(headerBytes);
    const length = header.readUInt32BE(0);
    if (length < 2 || 4 + length > this.#dataLeft) throw new AssociationFault('MALFORMED_PDU');
    const flags = header[5] ?? 0;
    this.#fragment = {
      contextId: header[4] ?? 0,
      isCommand: (flags & 1) !== 0,
      isLast: (flags & 2) !== 0,
    };
    this.#dataLeft -= headerBytes;
    this.#fragmentLeft = length - 2;
    if (this.#fragmentLeft > 0) return this.#nextPiece();
    return this.#piece(Buffer.alloc(0));
  }

  #nextPiece(): ReadUnit | undefined {
    const [first] = this.#chunks;
    if (first === undefined) return undefined;
    const bytes = this.#take(Math.min(first.length, this.#fragmentLeft));
    this.#fragmentLeft -= bytes.length;
    this.#dataLeft -= bytes.length;
    return this.#piece(bytes);
  }

  #piece(bytes: Buffer): ReadUnit {
    const isLast = this.#fragment.isLast && this.#fragmentLeft === 0;
    return {
      kind: 'fragment',
      fragment: { ...this.#fragment, isLast, bytes },
      endsPdu: this.#dataLeft === 0,
    };
  }

  /** Stops a peer from making us wait for, and hold, four gigabytes. */
  #checkLength(type: number, length: number): void {
    if (type < pduType.associateRequest || type > pduType.abort) throw new AssociationFault('MALFORMED_PDU');
    if (type === pduType.data) {
      if (length > this.#maxDataBytes) throw new AssociationFault('PDU_TOO_LARGE');
      if (length < headerBytes) throw new AssociationFault('MALFORMED_PDU');
    } else if (type <= pduType.associateAccept) {
      if (length > maxAssociateBytes) throw new AssociationFault('PDU_TOO_LARGE');
    } else if (length !== 4) throw new AssociationFault('MALFORMED_PDU');
  }

  /** The first `length` bytes, which are there. */
  #peek(length: number): Buffer {
    let [first = Buffer.alloc(0)] = this.#chunks;
    if (first.length < length) {
      const needed = this.#chunks.findIndex((_, at) => lengthOf(this.#chunks.slice(0, at + 1)) >= length) + 1;
      first = Buffer.concat(this.#chunks.splice(0, needed));
      this.#chunks.unshift(first);
    }
    return first.subarray(0, length);
  }

  #take(length: number): Buffer {
    const taken = this.#peek(length);
    const rest = this.#chunks[0]?.subarray(length);
    if (rest === undefined || rest.length === 0) this.#chunks.shift();
    else this.#chunks[0] = rest;
    this.#byteCount -= length;
    return taken;
  }
}

function lengthOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((total, chunk) => total + chunk.length, 0);
}
