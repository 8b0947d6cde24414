// `consilium site records`: counts per kind of record.
import type { Command } from 'commander';
import { printResult } from '#cli/output.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';

export function registerRecords(site: Command): void {
  site.addCommand(
    personCommand('records', 'counts per kind of record').action(async (options: SiteCommandOptions) => {
      await withSite(options, async ({ client }) => {
        printResult(options, await client.records(), (records) =>
          records.map(
            ({ system, code, factCount, subjectCount }) =>
              `${factCount} facts of ${subjectCount} subjects  ${system}|${code}`,
          ),
        );
      });
    }),
  );
}
