// `consilium site bundle export|import`: a sync without a network, on a medium that somebody carries.
import path from 'node:path';
import type { Command } from 'commander';
import { endRefused, printResult } from '#cli/output.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';

interface ExportOptions extends SiteCommandOptions {
  readonly out: string;
  readonly researchStudy?: string;
}

export function registerBundle(site: Command): void {
  const bundle = site.command('bundle').description('sync without a network, on a medium');
  bundle.addCommand(
    personCommand('export', 'write what is approved, and the checkpoint of the log, for the consortium')
      .requiredOption('--out <dir>', 'folder of the medium')
      .option('--research-study <id>', 'where the site takes part in several')
      .action(async (options: ExportOptions) => {
        await withSite(options, async ({ client }) => {
          const { researchStudy: researchStudyId = null } = options;
          const directory = path.resolve(options.out);
          const result = await client.bundle.export({ directory, researchStudyId });
          printResult(options, result, ({ sequence, updates, fileCount, bytes, expires }) => [
            ...updates.map(
              ({ updateId, outcome, code }) => `${outcome} ${updateId}${code === null ? '' : ` ${code}`}`,
            ),
            `Bundle ${sequence}: ${fileCount} files, ${bytes} bytes, to be read by ${expires}`,
          ]);
          if (result.updates.some(({ outcome }) => outcome === 'refused')) endRefused();
        });
      }),
  );
  bundle.addCommand(
    personCommand('import', 'take over what the consortium wrote for this site')
      .argument('<dir>', 'folder of the medium')
      .action(async (directory: string, options: SiteCommandOptions) => {
        await withSite(options, async ({ client }) => {
          const result = await client.bundle.import({ directory: path.resolve(directory) });
          printResult(options, result, ({ sequence, missing, received, receipts, isRepeat, isOvertaken }) => [
            ...received.map(
              ({ record, round }) => `received ${record}${round === null ? '' : ` of round ${round}`}`,
            ),
            ...receipts.map((updateId) => `receipt of ${updateId}`),
            ...(missing.length === 0 ? [] : [`Never came: ${missing.join(', ')}`]),
            ...(isRepeat ? ['It was read before.'] : []),
            ...(isOvertaken ? ['This site knew newer things already.'] : []),
            `Bundle ${sequence}: ${received.length} records, ${receipts.length} receipts`,
          ]);
        });
      }),
  );
}
