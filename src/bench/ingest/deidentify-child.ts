// De-identifies a folder as the command does and reports what that took. Run by the bench: deidentify-child.ts IN OUT
import { deidentifyFolder } from '#site/site.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';

const [source = '', outFolder = ''] = process.argv.slice(2);
const started = beginMeasured();
const course: [number, number][] = [];
let done = 0;
for await (const event of deidentifyFolder({
  paths: [source],
  outFolder,
  key: null,
  writesSuspected: false,
})) {
  if (event.kind !== 'file') continue;
  if (event.file.outcome !== 'written') throw new Error('a generated file was not written');
  done = event.done;
  if (done % 50 === 0) course.push([(performance.now() - started.ms) / 1000, done]);
}
reportMeasured(started, { amount: done, course });
