// Every event of the audit log is looked for by name in a test of the act that leaves it (security.md A7).
import path from 'node:path';
import { expect, it } from 'vitest';
import { auditActions } from '#site/audit/audit-event.ts';
import { isTest, readSourceTree } from './source-tree.ts';

const tests = [...readSourceTree('src'), ...readSourceTree('tests')].filter(
  ({ file }) =>
    isTest(file) && !file.startsWith('src/renderer/') && file !== 'src/site/audit/audit-log.test.ts',
);
const logTest = readSourceTree('src').filter(({ file }) => file === 'src/site/audit/audit-log.test.ts');
/** What the log itself does has no other test. */
const ownActs = ['audit-read', 'audit-verified', 'audit-exported', 'integrity-failure', 'software-changed'];

it.each(auditActions)('%s is asserted where it happens', (action) => {
  const asserted = new RegExp(`['"\`%]${action}(?: [^'"\`]*)?['"\`%]`);
  const found = (ownActs.includes(action) ? logTest : tests).filter(({ text }) => asserted.test(text));
  expect(found.map(({ file }) => path.posix.basename(file))).not.toEqual([]);
});
