// Cuts a stream into PDUs and a P-DATA-TF into its fragments (PS3.8 9.3.1, 9.3.5). A length is checked before its bytes are awaited.
import { type Pdu, pduType } from './pdu.ts';
import { AssociationFault } from './receiver-fault.ts';

const headerBytes = 6;
/** 128 presentation contexts with their transfer syntaxes fit well. */
const maxAssociateBytes = 262_144;

export class PduReader {
  readonly #maxDataBytes: number;
  #chunks: Buffer[] = [];
  #byteCount = 0;

  /** @param maxDataBytes longest body of a P-DATA-TF, as it was offered to the peer */
  constructor(maxDataBytes: number) {
    this.#maxDataBytes = maxDataBytes;
  }

  /** Whether a PDU has begun and is not whole. */
  get isPartial(): boolean {
    return this.#byteCount > 0;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#byteCount += chunk.length;
  }

  /** The next whole PDU. @throws AssociationFault PDU_TOO_LARGE, MALFORMED_PDU. */
  next(): Pdu | undefined {
    if (this.#byteCount < headerBytes) return undefined;
    const header = this.#joined(headerBytes);
    const type = header[0] ?? 0;
    const length = header.readUInt32BE(2);
    this.#checkLength(type, length);
    if (this.#byteCount < headerBytes + length) return undefined;
    const whole = this.#joined(headerBytes + length);
    const rest = whole.subarray(headerBytes + length);
    this.#chunks[0] = rest;
    if (rest.length === 0) this.#chunks.shift();
    this.#byteCount -= headerBytes + length;
    return { type, body: whole.subarray(headerBytes, headerBytes + length) };
  }

  /** Stops a peer from making us wait for, and hold, four gigabytes. */
  #checkLength(type: number, length: number): void {
    if (type < pduType.associateRequest || type > pduType.abort) throw new AssociationFault('MALFORMED_PDU');
    if (type === pduType.data) {
      if (length > this.#maxDataBytes) throw new AssociationFault('PDU_TOO_LARGE');
    } else if (type <= pduType.associateAccept) {
      if (length > maxAssociateBytes) throw new AssociationFault('PDU_TOO_LARGE');
    } else if (length !== 4) throw new AssociationFault('MALFORMED_PDU');
  }

  /** The first chunk, made at least `length` bytes long. */
  #joined(length: number): Buffer {
    const [first = Buffer.alloc(0)] = this.#chunks;
    if (first.length >= length) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}

export interface Fragment {
  readonly contextId: number;
  readonly isCommand: boolean;
  readonly isLast: boolean;
  readonly bytes: Buffer;
}

/** @throws AssociationFault MALFORMED_PDU. */
export function parseFragments(body: Buffer): Fragment[] {
  const fragments: Fragment[] = [];
  for (let at = 0; at < body.length; ) {
    if (at + 6 > body.length) throw new AssociationFault('MALFORMED_PDU');
    const length = body.readUInt32BE(at);
    const end = at + 4 + length;
    if (length < 2 || end > body.length) throw new AssociationFault('MALFORMED_PDU');
    const flags = body[at + 5] ?? 0;
    fragments.push({
      contextId: body[at + 4] ?? 0,
      isCommand: (flags & 1) !== 0,
      isLast: (flags & 2) !== 0,
      bytes: body.subarray(at + 6, end),
    });
    at = end;
  }
  return fragments;
}
