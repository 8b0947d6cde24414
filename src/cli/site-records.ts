// `consilium site records`: counts per kind of record, then per code.
import type { Command } from 'commander';
import type { z } from 'zod';
import { printResult } from '#cli/output.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';
import type { recordCount } from '#ipc/schema.ts';

type RecordCount = z.infer<typeof recordCount>;
const number = new Intl.NumberFormat('en');

export function registerRecords(site: Command): void {
  site.addCommand(
    personCommand('records', 'counts per kind of record').action(async (options: SiteCommandOptions) => {
      await withSite(options, async ({ client }) => {
        printResult(options, await client.records(), describeRecords);
      });
    }),
  );
}

/** A line per kind with its sum, and below it one per code, the most frequent first. */
export function describeRecords(records: readonly RecordCount[]): string[] {
  if (records.length === 0) return ['Nothing has been imported yet.'];
  const byKind = Map.groupBy(records, ({ kind }) => kind);
  return [...byKind].flatMap(([kind, ofKind]) => {
    const facts = ofKind.reduce((sum, { factCount }) => sum + factCount, 0);
    return [
      `${kind}: ${number.format(facts)} facts, ${number.format(ofKind.length)} codes`,
      ...ofKind
        .toSorted((left, right) => right.factCount - left.factCount)
        .map(
          ({ system, code, factCount, subjectCount }) =>
            `  ${number.format(factCount).padStart(11)} of ${number.format(subjectCount)} subjects  ${system}|${code}`,
        ),
    ];
  });
}
