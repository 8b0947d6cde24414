// A folder that electron-builder takes for a Linux distribution of Electron, where the real one cannot be had: everything about
// packaging but the binary itself can then be made and looked at. Its `electron` holds the fuse wire and ends with an explanation.
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { concatBytes, utf8 } from '../../src/base/bytes.ts';

/** What @electron/fuses looks for in a binary (electron/fuses, src/constants.ts). */
const fuseSentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
/** The fuses of Electron 45 as its own builds ship them, one character each: 1 on, 0 off (FuseV1Options, in that order). */
const shippedFuses = '101100011';

/** ELF64, little-endian, x86-64, no segment: enough for a tool that asks what kind of file it is. */
function elfHeader(): Uint8Array {
  const header = new Uint8Array(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.set([2, 0, 0x3e, 0, 1], 16);
  header.set([64, 0, 56], 52);
  return header;
}

/** Makes `folder` anew. @param version of the Electron that it stands for. */
export function makeStandInElectron(folder: string, version: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(folder, 'resources'), { recursive: true });
  mkdirSync(path.join(folder, 'locales'));
  const wire = concatBytes(utf8(fuseSentinel), new Uint8Array([1, shippedFuses.length]), utf8(shippedFuses));
  writeFileSync(
    path.join(folder, 'electron'),
    concatBytes(elfHeader(), wire, utf8('\0stand-in for Electron\n')),
  );
  writeFileSync(path.join(folder, 'chrome-sandbox'), elfHeader());
  for (const program of ['electron', 'chrome-sandbox']) chmodSync(path.join(folder, program), 0o755);
  writeFileSync(path.join(folder, 'version'), version);
  writeFileSync(path.join(folder, 'LICENSE'), 'Stand-in: the licence of Electron comes with its binary.\n');
  writeFileSync(path.join(folder, 'LICENSES.chromium.html'), '<!doctype html><title>Stand-in</title>\n');
  for (const locale of ['de', 'en-US', 'fr'])
    writeFileSync(path.join(folder, 'locales', `${locale}.pak`), locale);
}
