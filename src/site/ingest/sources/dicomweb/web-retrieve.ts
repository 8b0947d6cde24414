// WADO-RS (PS3.18 section 10.4): objects as Part 10 files in the transfer syntax in which the server keeps them.
import { isUid } from '../dicom-receiver/dimse-message.ts';
import { DicomwebError } from './dicomweb-error.ts';
import { boundaryOf, readParts } from './multipart-parser.ts';
import type { WebConnection } from './web-connection.ts';

export interface RetrievedObject {
  /** Of its meta information; null where that cannot be read. */
  readonly sopInstanceUid: string | null;
  /** In order; to be read before the next object is asked for. @throws DicomwebError. */
  readonly bytes: AsyncIterable<Buffer>;
}

const asStored = 'multipart/related; type="application/dicom"; transfer-syntax=*';
const asAnything = 'multipart/related; type="application/dicom"';
/** Meta information is some hundred bytes. */
const headBytes = 1_024;

/** @throws DicomwebError; Error of the connection. */
export async function* retrieveObjects(
  connection: WebConnection,
  path: string,
  maxObjectBytes: number,
): AsyncGenerator<RetrievedObject> {
  const { contentType, body } = await connection.get(path, asStored).catch((error: unknown) => {
    // Not acceptable: a server that knows no wildcard gives its standard syntax.
    if (error instanceof DicomwebError && error.status === 406) return connection.get(path, asAnything);
    throw error;
  });
  if (/^application\/dicom\s*(;|$)/i.test(contentType)) {
    yield await withUid(limited(toBuffers(body), maxObjectBytes));
    return;
  }
  if (!/^multipart\/related\s*;/i.test(contentType))
    throw new DicomwebError('DICOMWEB_BAD_ANSWER', 'The server sent something else than DICOM objects.');
  for await (const part of readParts(body, boundaryOf(contentType))) {
    if (!/^application\/dicom\s*(;|$)/i.test(part.headers.get('content-type') ?? 'application/dicom'))
      throw new DicomwebError('DICOMWEB_BAD_ANSWER', 'The server sent something else than DICOM objects.');
    yield await withUid(limited(part.body, maxObjectBytes));
  }
}

async function* toBuffers(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const chunk of body) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

async function* limited(body: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let byteCount = 0;
  for await (const chunk of body) {
    byteCount += chunk.length;
    if (byteCount > maxBytes)
      throw new DicomwebError(
        'DICOMWEB_ANSWER_TOO_LARGE',
        'An object of the server is larger than the limit.',
      );
    yield chunk;
  }
}

/** Looks into the head for the object's UID and gives all of it all the same. */
async function withUid(body: AsyncGenerator<Buffer>): Promise<RetrievedObject> {
  const head: Buffer[] = [];
  let byteCount = 0;
  while (byteCount < headBytes) {
    const { done, value } = await body.next();
    if (done === true) break;
    head.push(value);
    byteCount += value.length;
  }
  const bytes = (async function* () {
    yield* head;
    yield* body;
  })();
  return { sopInstanceUid: mediaSopInstance(Buffer.concat(head)), bytes };
}

/** (0002,0003) of the meta information, which is Explicit VR Little Endian (PS3.10 section 7.1). */
export function mediaSopInstance(head: Buffer): string | null {
  if (head.toString('latin1', 128, 132) !== 'DICM') return null;
  for (let at = 132; at + 8 <= head.length && head.readUInt16LE(at) === 2; ) {
    const isLong = ['OB', 'UN', 'OW', 'SQ', 'UT'].includes(head.toString('latin1', at + 4, at + 6));
    const valueAt = at + (isLong ? 12 : 8);
    if (valueAt > head.length) return null;
    const end = valueAt + (isLong ? head.readUInt32LE(at + 8) : head.readUInt16LE(at + 6));
    if (head.readUInt16LE(at + 2) === 3) {
      const uid = head.toString('latin1', valueAt, end).replace(/\0+$/, '');
      return isUid(uid) ? uid : null;
    }
    at = end;
  }
  return null;
}
