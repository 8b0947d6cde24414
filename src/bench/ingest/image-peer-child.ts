// What others need to read a folder of DICOM files: dicom-parser with SHA-256 in Node, or dcmdump of dcmtk over the whole folder. Run by
// the bench: image-peer-child.ts dicom-parser|dcmdump FOLDER
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import dicomParser from 'dicom-parser';
import { sha256 } from '#federation/crypto/digest.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';

const [peer, folder = ''] = process.argv.slice(2);
const names = readdirSync(folder).sort();
const started = beginMeasured();
if (peer === 'dicom-parser') {
  for (const name of names) {
    const bytes = readFileSync(path.join(folder, name));
    dicomParser.parseDicom(bytes);
    sha256(bytes);
  }
} else {
  await new Promise<void>((resolve, reject) => {
    const child = spawn('dcmdump', ['-q', '+sd', folder], { stdio: ['ignore', 'ignore', 'ignore'] });
    child.once('error', reject);
    child.once('close', () => resolve());
  });
}
reportMeasured(started, { amount: names.length });
