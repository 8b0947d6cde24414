import { describe, expect, it } from 'vitest';
import { boundaryOf, readParts } from './multipart-parser.ts';

const refused = expect.objectContaining({ code: 'DICOMWEB_BAD_ANSWER' });

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size = 7): Promise<[string | undefined, string][]> {
  const parts: [string | undefined, string][] = [];
  for await (const { headers, body } of readParts(inChunks(Buffer.from(text, 'latin1'), size), 'x')) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    parts.push([headers.get('content-type'), Buffer.concat(chunks).toString('latin1')]);
  }
  return parts;
}

const two =
  'preamble\r\n--x\r\nContent-Type: application/dicom\r\nContent-Length: 9\r\n\r\nabc\r\n--y\r\r\n--x \t\r\ncontent-type: b\r\n\r\n\r\n--x--\r\nepilogue';

describe('a multipart answer', () => {
  it('gives the same parts however it is cut into chunks', async () => {
    for (let size = 1; size <= two.length; size++) {
      expect(await read(two, size)).toEqual([
        ['application/dicom', 'abc\r\n--y\r'],
        ['b', ''],
      ]);
    }
  });

  it('may begin with its delimiter, have parts without headers, and have none', async () => {
    expect(await read('--x\r\n\r\nabc\r\n--x--')).toEqual([[undefined, 'abc']]);
    expect(await read('--x--')).toEqual([]);
  });

  it.each([
    ['ends in a part', '--x\r\na: b\r\n\r\nabc'],
    ['ends in a delimiter', '--x\r\na: b\r\n\r\nabc\r\n--'],
    ['ends in the headers', '--x\r\na: b\r\n'],
    ['is empty', ''],
    ['has no end of headers', `--x\r\n${'a: b\r\n'.repeat(10_000)}`],
    ['has a preamble without end', 'z'.repeat(100_000)],
  ])('that %s is refused', async (_, text) => {
    await expect(read(text)).rejects.toThrow(refused);
  });

  it('skips what of a part was not read, and lets go of its source', async () => {
    let isReleased = false;
    const source = (async function* () {
      try {
        yield* inChunks(Buffer.from(two, 'latin1'), 5);
      } finally {
        isReleased = true;
      }
    })();
    const types: (string | undefined)[] = [];
    for await (const { headers } of readParts(source, 'x')) types.push(headers.get('content-type'));
    expect(types).toEqual(['application/dicom', 'b']);
    expect(isReleased).toBe(true);
  });
});

describe('a boundary', () => {
  it.each([
    ['multipart/related; type="application/dicom"; boundary=abc', 'abc'],
    ['multipart/related; boundary="a b:c"; type="application/dicom"', 'a b:c'],
    ['multipart/related;BOUNDARY=--1', '--1'],
  ])('of %s is %s', (contentType, boundary) => {
    expect(boundaryOf(contentType)).toBe(boundary);
  });

  it('that is not there is refused', () => {
    expect(() => boundaryOf('multipart/related; type="application/dicom"')).toThrow(refused);
  });
});
