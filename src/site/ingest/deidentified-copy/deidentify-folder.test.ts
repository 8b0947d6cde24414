import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DicomElement, encodeDicom } from '#site/deidentify/index.ts';
import { dicomFile, element, mrSlice } from '#support/dicom-object.ts';
import { drawText, noisySlice } from '#support/drawn-text.ts';
import { parseDicom } from '../dicom/parse-dicom.ts';
import { type DeidentifySummary, deidentifyFolder, type FileReport } from './deidentify-folder.ts';
import { deriveDeidentifyKey, loadOrMakeDeidentifyKey } from './deidentify-key.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'deidentify-'));
  mkdirSync(path.join(root, 'in'));
});
afterEach(() => rmSync(root, { recursive: true }));

const key = Uint8Array.from({ length: 32 }, (_, index) => index);

function save(name: string, ...elements: readonly DicomElement[]): void {
  const pixels = noisySlice(1, 64, 64);
  const content = mrSlice({ rows: 64, columns: 64, pixels }, ...elements);
  const file = path.join(root, 'in', name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, encodeDicom(dicomFile(content)));
}

async function run(change: { key?: Uint8Array | null; out?: string; writesSuspected?: boolean } = {}) {
  const files: FileReport[] = [];
  let summary: DeidentifySummary | undefined;
  const order = {
    paths: [path.join(root, 'in')],
    outFolder: path.join(root, change.out ?? 'out'),
    key: change.key === undefined ? key : change.key,
    writesSuspected: change.writesSuspected ?? false,
  };
  for await (const event of deidentifyFolder(order)) {
    if (event.kind === 'file') files.push(event.file);
    else summary = event.summary;
  }
  const codeOf = (name: string) => {
    const file = files.find((each) => each.path === path.join(root, 'in', name));
    return file === undefined ? undefined : 'code' in file ? file.code : file.outcome;
  };
  return { files, summary, codeOf };
}

const outputs = (out = 'out') =>
  readdirSync(path.join(root, out), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'report.json')
    .map((entry) => path.relative(path.join(root, out), path.join(entry.parentPath, entry.name)));

describe('a folder that is de-identified', () => {
  it('ends with an outcome for every file, and they add up', async () => {
    for (let index = 0; index < 40; index += 1)
      save(`Doe Jane/s${index}.dcm`, element(0x00080018, `1.2.3.${index}`));
    save('copy.dcm', element(0x00080018, '1.2.3.0'));
    save('other.dcm', element(0x00080018, '1.2.3.0'), element(0x00180050, '5'));
    save('ultrasound.dcm', element(0x00080018, '1.2.4.1'), element(0x00080060, 'US'));
    save('stated.dcm', element(0x00080018, '1.2.4.2'), element(0x00280301, 'YES'));
    const drawn = noisySlice(2, 64, 64);
    drawText(
      { samples: drawn, rows: 64, columns: 64 },
      { text: 'DOE JANE', row: 3, column: 2, size: 1, value: 900 },
    );
    save(
      'drawn.dcm',
      element(0x00080018, '1.2.4.3'),
      element(0x7fe00010, new Uint8Array(drawn.buffer), 'OW'),
    );
    save('DICOMDIR', element(0x00080016, '1.2.840.10008.1.3.10'));
    writeFileSync(path.join(root, 'in/notes.txt'), 'no DICOM');
    writeFileSync(
      path.join(root, 'in/cut.dcm'),
      readFileSync(path.join(root, 'in/stated.dcm')).subarray(0, 500),
    );
    symlinkSync(path.join(root, 'in/copy.dcm'), path.join(root, 'in/link'));
    const { summary, codeOf, files } = await run();
    expect(summary).toMatchObject({
      files: 49,
      written: 40,
      duplicate: 1,
      quarantined: 3,
      rejected: 4,
      skipped: 1,
    });
    // The two files that claim the instance of a third lose by the order of folders: the first that came stands.
    expect([codeOf('copy.dcm'), codeOf('other.dcm'), codeOf('Doe Jane/s0.dcm')].sort()).toEqual(
      ['SAME_INSTANCE_UID', 'duplicate', 'written'].sort(),
    );
    expect(codeOf('ultrasound.dcm')).toBe('BURNED_IN_SUSPECTED');
    expect(codeOf('stated.dcm')).toBe('BURNED_IN_TEXT');
    expect(codeOf('drawn.dcm')).toBe('BURNED_IN_TEXT');
    expect(codeOf('DICOMDIR')).toBe('DICOM_DIRECTORY');
    expect(codeOf('notes.txt')).toBe('NOT_RECOGNISED');
    expect(codeOf('cut.dcm')).toBe('TRUNCATED');
    expect(codeOf('link')).toBe('NOT_A_FILE');
    expect(files).toHaveLength(49);
    expect(outputs()).toHaveLength(40);
  });

  it('has names of new UIDs, and a report without a path of the input', async () => {
    save('Doe Jane/1.dcm');
    const { files } = await run();
    const [output = ''] = outputs();
    expect(output).toMatch(/^2\.25\.\d+\/2\.25\.\d+\/2\.25\.\d+\.dcm$/);
    expect(files[0]).toMatchObject({ outcome: 'written', output });
    const report = readFileSync(path.join(root, 'out/report.json'), 'utf8');
    expect(JSON.parse(report)).toMatchObject({ summary: { written: 1 }, files: [{ file: 1, output }] });
    expect(report).not.toContain('Doe');
    expect(report).not.toContain(root);
    const written = parseDicom(readFileSync(path.join(root, 'out', output)));
    expect(written.dataSet.elements.some(({ tag }) => tag === 0x00120062)).toBe(true);
  });

  it('comes out the same under the same key, and shares no name under another or none', async () => {
    save('1.dcm');
    await run();
    await run({ out: 'again' });
    await run({ out: 'other', key: new Uint8Array(32).fill(99) });
    await run({ out: 'none', key: null });
    expect(outputs('again')).toEqual(outputs());
    expect(new Set(['out', 'other', 'none'].flatMap((out) => outputs(out))).size).toBe(3);
  });

  it('writes what is only suspected when a person has looked at it, and never what says YES', async () => {
    save('ultrasound.dcm', element(0x00080018, '1.2.4.1'), element(0x00080060, 'US'));
    save('stated.dcm', element(0x00080018, '1.2.4.2'), element(0x00280301, 'YES'));
    const { summary } = await run({ writesSuspected: true });
    expect(summary).toMatchObject({ written: 1, quarantined: 1 });
  });

  it('never goes into a folder that has something in it', async () => {
    save('1.dcm');
    await run();
    await expect(run()).rejects.toMatchObject({ code: 'OUTPUT_NOT_EMPTY' });
    writeFileSync(path.join(root, 'file'), '');
    await expect(run({ out: 'file' })).rejects.toMatchObject({ code: 'OUTPUT_UNAVAILABLE' });
  });
});

describe('the key file', () => {
  it('is made once, for its owner only, and read again', () => {
    const file = path.join(root, 'key');
    const made = loadOrMakeDeidentifyKey(file);
    expect(made).toHaveLength(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Buffer.from(loadOrMakeDeidentifyKey(file)).equals(Buffer.from(made))).toBe(true);
  });

  it('of a site is derived from its own, one way', () => {
    const derived = deriveDeidentifyKey(key);
    expect(derived).toHaveLength(32);
    expect(derived).toEqual(deriveDeidentifyKey(key));
    expect(derived).not.toEqual(key);
  });

  it.each([
    ['an empty file', new Uint8Array()],
    ['zeros', new Uint8Array(32)],
    ['text of another length', Buffer.from('password')],
  ])('is refused when it holds %s', (_, bytes) => {
    const file = path.join(root, 'key');
    writeFileSync(file, bytes, { mode: 0o600 });
    expect(() => loadOrMakeDeidentifyKey(file)).toThrow(expect.objectContaining({ code: 'UNFIT_KEY_FILE' }));
  });
});
