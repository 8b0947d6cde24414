// DICOM upper layer PDUs (PS3.8 section 9.3): what is read from an association request, and what an acceptor sends.
import { AssociationFault } from './receiver-fault.ts';

export const pduType = {
  associateRequest: 1,
  associateAccept: 2,
  associateReject: 3,
  data: 4,
  releaseRequest: 5,
  releaseResponse: 6,
  abort: 7,
} as const;

export interface Pdu {
  readonly type: number;
  /** What follows type and length. */
  readonly body: Buffer;
}

export interface ProposedContext {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}

export interface AssociateRequest {
  readonly version: number;
  readonly calledAe: string;
  readonly callingAe: string;
  readonly applicationContext: string;
  readonly contexts: readonly ProposedContext[];
  /** Longest P-DATA-TF body the peer takes; 0: any. */
  readonly maxLength: number;
  /** The 64 bytes of AE titles and the reserved ones after them, which an answer repeats. */
  readonly titles: Buffer;
}

/** PS3.8 Table 9-21: result, source, reason. */
export interface Rejection {
  readonly result: 1 | 2;
  readonly source: 1 | 2 | 3;
  readonly reason: number;
}

const titleBytes = 16;
const titlesEnd = 68;
/** Items of an association request; more is an attempt to make us work. */
const maxItems = 1_024;

interface Item {
  readonly type: number;
  readonly body: Buffer;
}

/** @throws AssociationFault MALFORMED_PDU. */
export function parseAssociateRequest(body: Buffer): AssociateRequest {
  if (body.length < titlesEnd) throw new AssociationFault('MALFORMED_PDU');
  const items = parseItems(body.subarray(titlesEnd));
  const userInformation = items.find(({ type }) => type === 0x50);
  const maxLength = parseItems(userInformation?.body ?? Buffer.alloc(0)).find(({ type }) => type === 0x51);
  if (maxLength !== undefined && maxLength.body.length !== 4) throw new AssociationFault('MALFORMED_PDU');
  return {
    version: body.readUInt16BE(0),
    calledAe: parseTitle(body, 4),
    callingAe: parseTitle(body, 4 + titleBytes),
    applicationContext: parseUid(items.find(({ type }) => type === 0x10)?.body ?? Buffer.alloc(0)),
    contexts: items.filter(({ type }) => type === 0x20).map(parseContext),
    maxLength: maxLength?.body.readUInt32BE(0) ?? 0,
    titles: body.subarray(4, titlesEnd),
  };
}

function parseItems(bytes: Buffer): Item[] {
  const items: Item[] = [];
  for (let at = 0; at < bytes.length; ) {
    // An item that is longer than what holds it would be read past its end.
    if (at + 4 > bytes.length || items.length >= maxItems) throw new AssociationFault('MALFORMED_PDU');
    const end = at + 4 + bytes.readUInt16BE(at + 2);
    if (end > bytes.length) throw new AssociationFault('MALFORMED_PDU');
    items.push({ type: bytes[at] ?? 0, body: bytes.subarray(at + 4, end) });
    at = end;
  }
  return items;
}

function parseContext({ body }: Item): ProposedContext {
  if (body.length < 4) throw new AssociationFault('MALFORMED_PDU');
  const items = parseItems(body.subarray(4));
  return {
    id: body[0] ?? 0,
    abstractSyntax: parseUid(items.find(({ type }) => type === 0x30)?.body ?? Buffer.alloc(0)),
    transferSyntaxes: items.filter(({ type }) => type === 0x40).map((item) => parseUid(item.body)),
  };
}

function parseTitle(body: Buffer, at: number): string {
  return body.toString('latin1', at, at + titleBytes).trim();
}

function parseUid(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\0 ]+$/, '');
}

export interface AnsweredContext {
  readonly id: number;
  /** PS3.8 Table 9-18: 0 accepted, 3 abstract syntax not supported, 4 transfer syntaxes not supported. */
  readonly result: 0 | 3 | 4;
  readonly transferSyntax: string;
}

export interface AssociateAccept {
  readonly titles: Buffer;
  readonly applicationContext: string;
  readonly contexts: readonly AnsweredContext[];
  readonly maxLength: number;
  readonly implementationClassUid: string;
  readonly implementationVersionName: string;
}

export function encodeAssociateAccept(accept: AssociateAccept): Buffer {
  const maxLength = Buffer.alloc(4);
  maxLength.writeUInt32BE(accept.maxLength);
  return encodePdu(pduType.associateAccept, [
    Buffer.from([0, 1, 0, 0]),
    accept.titles,
    encodeItem(0x10, [Buffer.from(accept.applicationContext, 'latin1')]),
    ...accept.contexts.map(({ id, result, transferSyntax }) =>
      encodeItem(0x21, [
        Buffer.from([id, 0, result, 0]),
        encodeItem(0x40, [Buffer.from(transferSyntax, 'latin1')]),
      ]),
    ),
    encodeItem(0x50, [
      encodeItem(0x51, [maxLength]),
      encodeItem(0x52, [Buffer.from(accept.implementationClassUid, 'latin1')]),
      encodeItem(0x55, [Buffer.from(accept.implementationVersionName, 'latin1')]),
    ]),
  ]);
}

export function encodeAssociateReject({ result, source, reason }: Rejection): Buffer {
  return encodePdu(pduType.associateReject, [Buffer.from([0, result, source, reason])]);
}

export function encodeReleaseResponse(): Buffer {
  return encodePdu(pduType.releaseResponse, [Buffer.alloc(4)]);
}

/** PS3.8 Table 9-26: source 2 is the provider; reason 0 none, 1 unrecognised PDU, 2 unexpected PDU, 6 invalid parameter. */
export function encodeAbort(reason: 0 | 1 | 2 | 6): Buffer {
  return encodePdu(pduType.abort, [Buffer.from([0, 0, 2, reason])]);
}

/** A command of one fragment, which is the last. */
export function encodeCommandPdu(contextId: number, command: Buffer): Buffer {
  const header = Buffer.alloc(6);
  header.writeUInt32BE(command.length + 2);
  header[4] = contextId;
  header[5] = 3;
  return encodePdu(pduType.data, [header, command]);
}

function encodePdu(type: number, parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(6);
  header[0] = type;
  header.writeUInt32BE(
    parts.reduce((total, part) => total + part.length, 0),
    2,
  );
  return Buffer.concat([header, ...parts]);
}

function encodeItem(type: number, parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(4);
  header[0] = type;
  header.writeUInt16BE(
    parts.reduce((total, part) => total + part.length, 0),
    2,
  );
  return Buffer.concat([header, ...parts]);
}
