// Imports paths into a new encrypted store, as a site does, and reports what that took. Run by the bench as a process of its own:
// import-child.ts AMOUNT-PER-SECOND(bytes|rows|files|files-indexed) PROFILE-FOLDER PATH...
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { silentLogger } from '#base/logger.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { openAuditLog, systemActor } from '#site/audit/index.ts';
import { saveImagingSettings } from '#site/ingest/imaging/imaging-settings.ts';
import { openIngest, openTimeZone } from '#site/ingest/index.ts';
import { openObjectStore, openStore } from '#site/store/index.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';

const [counted, profile = '', ...paths] = process.argv.slice(2);
const store = openStore({
  file: path.join(profile, 'site.db'),
  key: systemRandom(32),
  clock: { nowMs: () => Date.now() },
});
const auditLog = openAuditLog({
  store,
  signer: createSigningKey(systemRandom(32)),
  origin: 'bench',
  bootId: 'bench',
  softwareVersion: '0',
});
const keys = { subjectKey: systemRandom(32), linkageKey: systemRandom(32) };
const ingest = openIngest({
  store,
  objects: openObjectStore({ store, profile }),
  auditLog,
  keys,
  logger: silentLogger,
  zone: openTimeZone('Europe/Berlin'),
});

const countsFiles = counted === 'files' || counted === 'files-indexed';
if (counted === 'files-indexed') store.transaction(() => saveImagingSettings(store, { keepsPixels: false }));
const started = beginMeasured();
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const course: [number, number][] = [];
let doneBefore = 0;
let doneNow = 0;
let refused = 0;
const signal = new AbortController().signal;
for await (const event of ingest.ingestPaths({ paths, mapping: null, actor: systemActor, signal })) {
  if (event.kind === 'progress') {
    if (countsFiles) doneNow = event.fileIndex;
    else doneNow = counted === 'bytes' ? event.bytesRead / 1e6 : event.rowCount;
    course.push([(performance.now() - started.ms) / 1000, doneBefore + doneNow]);
  }
  if (event.kind === 'file') {
    const { accepted, duplicate, rejected, notNeeded } = event.file.rows;
    if (!countsFiles)
      doneBefore += counted === 'bytes' ? doneNow : accepted + duplicate + rejected + notNeeded;
    if (!countsFiles) doneNow = 0;
    refused += event.file.rows.rejected;
    if (event.file.outcome !== 'accepted')
      throw new Error(`a generated file was not accepted: ${event.file.code ?? ''}`);
  }
  if (event.kind === 'summary' && countsFiles) doneBefore = event.summary.accepted;
}
if (refused > 0) process.stderr.write(`${refused} rows were refused\n`);
reportMeasured(started, { amount: doneBefore, course, longestBusyMs: delay.max / 1e6 });
await ingest.close();
store.close();
