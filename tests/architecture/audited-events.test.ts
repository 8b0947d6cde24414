// Every event of the audit log is looked for by name in a test of the act that leaves it (security.md A7).
import path from 'node:path';
import { expect, it } from 'vitest';
import { auditActions } from '#site/audit/audit-event.ts';
import { isTest, readSourceTree } from './source-tree.ts';

const tests = [...readSourceTree('src'), ...readSourceTree('tests')].filter(
  ({ file }) =>
    isTest(file) && !file.startsWith('src/renderer/') && file !== 'src/site/audit/audit-log.test.ts',
);
/** Acts of the log itself have no other test. */
const ownActs = readSourceTree('src').filter(({ file }) => file === 'src/site/audit/audit-log.test.ts');

it.each(auditActions)('%s is asserted where it happens', (action) => {
  const asserted = new RegExp(`['"\`%]${action}(?: [^'"\`]*)?['"\`%]`);
  const isOwn = action.startsWith('audit-') || ['integrity-failure', 'software-changed'].includes(action);
  const found = (isOwn ? ownActs : tests).filter(({ text }) => asserted.test(text));
  expect(found.map(({ file }) => path.posix.basename(file))).not.toEqual([]);
});
