import { describe, expect, it } from 'vitest';
import { dataPdu, echoCommand, pdu, releaseRequest } from '#support/dicom-caller.ts';
import { PduReader } from './pdu-reader.ts';

const data = Buffer.from('the data set of an object');
/** Two fragments in one PDU: a whole command and the beginning of a data set. */
const both = pdu(
  4,
  Buffer.concat([dataPdu(1, 3, echoCommand()).subarray(6), dataPdu(3, 0, data).subarray(6)]),
);
const stream = Buffer.concat([both, dataPdu(3, 2, data), dataPdu(5, 0, Buffer.alloc(0)), releaseRequest]);

/** What is read of the stream in chunks of `size`, with the pieces of a fragment put together. */
function readInChunks(size: number): string[] {
  const reader = new PduReader(1_000);
  const read: string[] = [];
  let pieces: Buffer[] = [];
  for (let at = 0; at < stream.length; at += size) {
    reader.push(stream.subarray(at, at + size));
    for (let unit = reader.next(); unit !== undefined; unit = reader.next()) {
      if (unit.kind === 'pdu') {
        read.push(`pdu ${unit.pdu.type}`);
        continue;
      }
      const { contextId, isCommand, isLast, bytes } = unit.fragment;
      pieces.push(bytes);
      const whole = Buffer.concat(pieces);
      const ends =
        [echoCommand().length, data.length, 0].includes(whole.length) && (isLast || contextId !== 1);
      if (!ends) continue;
      read.push(`${contextId} ${isCommand} ${isLast} ${whole.toString('hex')} ${unit.endsPdu}`);
      pieces = [];
    }
  }
  return read;
}

describe('a stream of PDUs', () => {
  it('is read the same however it is cut into chunks', () => {
    const expected = [
      `1 true true ${echoCommand().toString('hex')} false`,
      `3 false false ${data.toString('hex')} true`,
      `3 false true ${data.toString('hex')} true`,
      '5 false false  true',
      'pdu 5',
    ];
    for (let size = 1; size <= stream.length; size++) expect(readInChunks(size)).toEqual(expected);
  });

  it('gives a long fragment as it comes', () => {
    const reader = new PduReader(1_000);
    reader.push(dataPdu(3, 2, Buffer.alloc(900)).subarray(0, 112));
    const unit = reader.next();
    expect(unit).toMatchObject({ fragment: { isLast: false }, endsPdu: false });
    expect(reader.next()).toBeUndefined();
  });
});
