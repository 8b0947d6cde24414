// The public DICOM samples through the whole import: each file has a named outcome, the totals add up, and what was stored decodes to
// exactly the pixels of what was offered.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { toHex } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { openImage } from '#site/ingest/dicom/decode-frame.ts';
import { parseDicom } from '#site/ingest/dicom/parse-dicom.ts';
import { openObjectStore } from '#site/store/index.ts';
import { type IngestSite, openIngestSite, summaryOf } from '#support/ingest-site.ts';

const root = path.join(process.env.CONSILIUM_DATA ?? '', 'dicom-samples');
const isThere = process.env.CONSILIUM_DATA !== undefined && existsSync(root);
if (!isThere)
  process.stderr.write(
    'import of the public DICOM samples not tested: CONSILIUM_DATA does not name a folder with them\n',
  );

let site: IngestSite | undefined;
afterEach(() => site?.close());

/** A digest of every sample of every frame. */
async function pixelDigest(bytes: Buffer): Promise<string> {
  const image = openImage(parseDicom(bytes));
  const frames: Buffer[] = [];
  for (let index = 0; index < (image?.description.frameCount ?? 0); index += 1) {
    const { samples } = (await image?.decodeFrame(index)) ?? { samples: new Uint8Array() };
    frames.push(Buffer.from(Float64Array.from(samples).buffer));
  }
  return toHex(sha256(Buffer.concat(frames)));
}

/** Why a readable image waits for a person. */
const waiting = new Set([
  'BURNED_IN_SUSPECTED',
  'DICOM_NO_PATIENT_ID',
  'DICOM_PATIENT_CONFLICT',
  'DICOM_UID_CONFLICT',
  'TRANSFER_SYNTAX_NOT_DECODED',
]);

describe.runIf(isThere)('the public DICOM samples', () => {
  it('all have an outcome, and what is stored has the pixels of what was offered', async () => {
    site = openIngestSite();
    const summary = summaryOf(await site.importPaths([root]));
    const { accepted, duplicate, quarantined, rejected, files } = summary;
    const catalogue = readFileSync(path.join(root, 'catalog.csv'), 'utf8').trim().split('\n').length - 1;
    // The catalogue itself and its README are offered too.
    expect(accepted + duplicate + quarantined + rejected).toBe(catalogue + 2);
    expect(
      files.filter(({ outcome, code }) => outcome === 'quarantined' && !waiting.has(code ?? '')),
    ).toEqual([]);
    expect(files.filter(({ outcome, code }) => outcome === 'rejected' && code === null)).toEqual([]);
    const broken = files
      .filter(({ path: file }) => file.includes('broken-derived'))
      .map(({ path: file, outcome }) => [path.basename(file), outcome]);
    expect(Object.fromEntries(broken)).toMatchObject({
      'bits_allocated_zero.dcm': 'rejected',
      'deep_nested_sequences.dcm': 'rejected',
      'empty.dcm': 'rejected',
      'gzip_named.dcm': 'rejected',
      'no_sopinstanceuid.dcm': 'rejected',
      'rle_bad_offsets.dcm': 'rejected',
      'text_named.dcm': 'rejected',
      'truncated_in_pixeldata.dcm': 'rejected',
      'unknown_transfer_syntax.dcm': 'quarantined',
    });
    const offered = await Promise.all(
      files
        .filter(({ outcome, format }) => outcome === 'accepted' && format === 'dicom')
        .map(({ path: file }) => pixelDigest(readFileSync(file))),
    );
    const objects = openObjectStore({ store: site.store, profile: path.join(site.folder, 'profile') });
    const rows = site.store.prepare('SELECT object_no FROM sop_instance').all() as { object_no: number }[];
    const stored = await Promise.all(
      rows.map(({ object_no }) => pixelDigest(Buffer.from(objects.read(object_no)))),
    );
    expect(stored.length).toBeGreaterThan(30);
    expect(stored.sort()).toEqual(offered.sort());
    expect(site.auditLog.verify().verified).toBe(true);
  });
});
