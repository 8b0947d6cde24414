// The other end of an association, byte by byte: what honest and dishonest callers send, for tests.
import { connect, type Socket } from 'node:net';

export const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2';
export const verification = '1.2.840.10008.1.1';
export const explicitLittleEndian = '1.2.840.10008.1.2.1';

export interface CallerRequest {
  readonly calledAe?: string;
  readonly callingAe?: string;
  readonly version?: number;
  readonly applicationContext?: string;
  readonly contexts?: readonly { id: number; abstractSyntax: string; transferSyntaxes: readonly string[] }[];
}

const standardContexts = [
  { id: 1, abstractSyntax: verification, transferSyntaxes: ['1.2.840.10008.1.2'] },
  { id: 3, abstractSyntax: ctImageStorage, transferSyntaxes: [explicitLittleEndian] },
];

export function pdu(type: number, body: Buffer, length = body.length): Buffer {
  const header = Buffer.alloc(6);
  header[0] = type;
  header.writeUInt32BE(length, 2);
  return Buffer.concat([header, body]);
}

function item(type: number, body: Buffer): Buffer {
  const header = Buffer.from([type, 0, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([header, body]);
}

export function associateRequest(request: CallerRequest = {}): Buffer {
  const { calledAe = 'CONSILIUM', callingAe = 'PACS', version = 1, contexts = standardContexts } = request;
  const { applicationContext = '1.2.840.10008.3.1.1.1' } = request;
  const fixed = Buffer.alloc(68);
  fixed.writeUInt16BE(version, 0);
  fixed.write(calledAe.padEnd(16), 4, 16, 'latin1');
  fixed.write(callingAe.padEnd(16), 20, 16, 'latin1');
  const proposed = contexts.map(({ id, abstractSyntax, transferSyntaxes }) =>
    item(
      0x20,
      Buffer.concat([
        Buffer.from([id, 0, 0, 0]),
        item(0x30, Buffer.from(abstractSyntax)),
        ...transferSyntaxes.map((uid) => item(0x40, Buffer.from(uid))),
      ]),
    ),
  );
  const user = item(0x50, item(0x51, Buffer.from([0, 0, 0x40, 0])));
  return pdu(1, Buffer.concat([fixed, item(0x10, Buffer.from(applicationContext)), ...proposed, user]));
}

/** One presentation data value in a P-DATA-TF. `flags`: 1 command, 2 last. */
export function dataPdu(contextId: number, flags: number, bytes: Buffer): Buffer {
  const header = Buffer.alloc(6);
  header.writeUInt32BE(bytes.length + 2);
  header[4] = contextId;
  header[5] = flags;
  return pdu(4, Buffer.concat([header, bytes]));
}

/** Element of a command set; `length` may lie. */
export function element(number: number, value: Buffer, length = value.length): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(number, 2);
  header.writeUInt32LE(length, 4);
  return Buffer.concat([header, value]);
}

const us = (value: number) => Buffer.from([value & 0xff, value >> 8]);
const ui = (text: string) => Buffer.from(text.length % 2 === 0 ? text : `${text}\0`, 'latin1');

export function echoCommand(messageId = 1): Buffer {
  return Buffer.concat([
    element(0x0002, ui(verification)),
    element(0x0100, us(0x0030)),
    element(0x0110, us(messageId)),
    element(0x0800, us(0x0101)),
  ]);
}

export function storeCommand({
  sopClass = ctImageStorage,
  sopInstance = '1.2.3',
  dataSetType = 1,
} = {}): Buffer {
  return Buffer.concat([
    element(0x0002, ui(sopClass)),
    element(0x0100, us(0x0001)),
    element(0x0110, us(7)),
    element(0x0700, us(0)),
    element(0x0800, us(dataSetType)),
    element(0x1000, ui(sopInstance)),
  ]);
}

export const releaseRequest = pdu(5, Buffer.alloc(4));

/** What a peer heard: the types of PDUs, with the fields that tell them apart. */
export type Heard =
  | { readonly kind: 'accept'; readonly results: readonly number[] }
  | { readonly kind: 'reject'; readonly result: number; readonly source: number; readonly reason: number }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'released' }
  | { readonly kind: 'abort'; readonly reason: number }
  | { readonly kind: 'end' };

export class DicomCaller {
  readonly heard: Heard[] = [];
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #wakers: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => {});
    socket.on('close', () => this.#hear({ kind: 'end' }));
  }

  static async connect(port: number): Promise<DicomCaller> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const caller = new DicomCaller(socket);
    await new Promise<void>((resolve) => {
      socket.once('connect', () => resolve());
      socket.once('close', () => resolve());
    });
    return caller;
  }

  send(...parts: readonly Buffer[]): void {
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat(parts));
  }

  /** Waits until `count` things were heard, or the end. */
  async listen(count: number): Promise<readonly Heard[]> {
    while (this.heard.length < count && this.heard.at(-1)?.kind !== 'end')
      await new Promise<void>((resolve) => this.#wakers.push(resolve));
    return this.heard;
  }

  /** Waits for the connection's end. */
  async toEnd(): Promise<readonly Heard[]> {
    return this.listen(Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 6) {
      const end = 6 + this.#received.readUInt32BE(2);
      if (this.#received.length < end) return;
      this.#hear(describe(this.#received[0] ?? 0, this.#received.subarray(6, end)));
      this.#received = this.#received.subarray(end);
    }
  }

  #hear(heard: Heard): void {
    this.heard.push(heard);
    for (const wake of this.#wakers.splice(0)) wake();
  }
}

function describe(type: number, body: Buffer): Heard {
  if (type === 3) return { kind: 'reject', result: body[1] ?? 0, source: body[2] ?? 0, reason: body[3] ?? 0 };
  if (type === 7) return { kind: 'abort', reason: body[3] ?? 0 };
  if (type === 6) return { kind: 'released' };
  if (type === 4) {
    const at = body.indexOf(Buffer.from([0, 0, 0, 9, 2, 0, 0, 0]));
    return { kind: 'status', status: body.readUInt16LE(at + 8) };
  }
  const results: number[] = [];
  for (let at = 68; at < body.length; at += 4 + body.readUInt16BE(at + 2))
    if (body[at] === 0x21) results.push(body[at + 6] ?? -1);
  return { kind: 'accept', results };
}
