// What dcmjs needs to read and write a folder of DICOM files, without a rule applied. Run by the bench: dcmjs-child.ts IN OUT
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { data, log } from 'dcmjs';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';

const [source = '', outFolder = ''] = process.argv.slice(2);
// It prints the values of tags that it does not know.
log.setLevel('silent');
const started = beginMeasured();
let amount = 0;
for (const name of readdirSync(source)) {
  const bytes = readFileSync(path.join(source, name));
  const file = data.DicomMessage.readFile(new Uint8Array(bytes).buffer);
  writeFileSync(path.join(outFolder, name), Buffer.from(file.write()));
  amount += 1;
}
reportMeasured(started, { amount });
