// Makes a log of many entries, and reads it in every way there is. Run by the bench as processes of their own:
// log-child.ts make|export|verify|csv|fhir|dicom|proof FOLDER COUNT

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileBlocks } from '#base/file-blocks.ts';
import { parseLogTrust, verifyExportedLog } from '#federation/log/exported-log.ts';
import { createLeafProof, verifyLeafProof } from '#federation/log/leaf-proof.ts';
import { createAuditStorage } from '#site/audit/audit-storage.ts';
import { type ReadableFormat, writeReadableCopy } from '#site/audit/index.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';
import { benchEvent, benchOrigin, benchSigner, openBenchLog } from './bench-log.ts';

const [what = '', folder = '', countText] = process.argv.slice(2);
const count = Number(countText);
const exported = path.join(folder, 'export');
const transactionSize = 10_000;

function make(): void {
  const { store, auditLog } = openBenchLog(folder);
  const start = beginMeasured();
  for (let done = 0; done < count; done += transactionSize) {
    store.transaction(() => {
      const end = Math.min(done + transactionSize, count);
      for (let index = done; index < end; index += 1) auditLog.append(benchEvent(index));
    });
  }
  auditLog.checkpoint();
  reportMeasured(start, { amount: count });
  store.close();
}

function exportLog(): void {
  const { store, auditLog } = openBenchLog(folder);
  const start = beginMeasured();
  const { leafCount } = auditLog.exportTo(exported);
  reportMeasured(start, { amount: leafCount });
  store.close();
}

function verify(): void {
  const start = beginMeasured();
  const [trust] = parseLogTrust(readFileSync(path.join(exported, 'log-key.json'), 'utf8'));
  if (trust === undefined) throw new Error('no key');
  const leaves = fileBlocks(path.join(exported, 'leaves.jsonl'));
  const details = fileBlocks(path.join(exported, 'details.jsonl'));
  const checkpoints = readFileSync(path.join(exported, 'checkpoints.txt'));
  const { verified, leafCount } = verifyExportedLog({ leaves, details, checkpoints }, trust);
  if (!verified) throw new Error('the log does not verify');
  reportMeasured(start, { amount: leafCount });
}

function copy(format: ReadableFormat): void {
  const start = beginMeasured();
  writeReadableCopy(exported, format);
  reportMeasured(start, { amount: count });
}

/** The slowest of a thousand proofs of entries all over the log, made and verified, stands as `longestBusyMs`. */
function prove(): void {
  const { store, auditLog } = openBenchLog(folder);
  const storage = createAuditStorage(store);
  const { note } = auditLog.checkpoint();
  const line = store.prepareColumn('SELECT line FROM audit_leaf WHERE seq = ?');
  const key = { name: benchOrigin, publicKey: benchSigner.publicKey };
  const proofCount = 1000;
  let longestBusyMs = 0;
  const start = beginMeasured();
  for (let turn = 0; turn < proofCount; turn += 1) {
    const began = performance.now();
    const index = Math.floor((turn * count) / proofCount);
    const leaf = { line: line.get(index) as string, index };
    verifyLeafProof(createLeafProof(leaf, note, storage), key);
    longestBusyMs = Math.max(longestBusyMs, performance.now() - began);
  }
  reportMeasured(start, { amount: proofCount, longestBusyMs });
  store.close();
}

if (what === 'make') make();
else if (what === 'export') exportLog();
else if (what === 'verify') verify();
else if (what === 'proof') prove();
else copy(what as ReadableFormat);
