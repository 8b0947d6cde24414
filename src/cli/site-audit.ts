// `consilium site audit`: verify the log, or export it so that anyone can.
import path from 'node:path';
import { type Command, Option } from 'commander';
import { endRefused, printResult } from '#cli/output.ts';
import { disclosuresCommand } from '#cli/site-audit-disclosures.ts';
import { forwardCommand } from '#cli/site-audit-forward.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';
import { type ReadableFormat, readableFormats, writeReadableCopy } from '#site/site.ts';

export function registerAuditCommands(site: Command): void {
  const audit = site.command('audit').description('the tamper-evident log');
  audit.addCommand(forwardCommand());
  audit.addCommand(disclosuresCommand());
  audit.addCommand(
    personCommand('verify', 'check every entry, every checkpoint and every signature').action(
      async (options: SiteCommandOptions) => {
        await withSite(options, async ({ client }) => {
          const result = await client.audit.verify();
          printResult(options, result, ({ verified, leafCount, checkpointCount, problem }) =>
            verified
              ? `Verified: ${leafCount} entries, ${checkpointCount} checkpoints.`
              : `NOT VERIFIED: ${problem?.code ?? ''} at entry ${problem?.seq ?? 'unknown'}. ${problem?.message ?? ''}`,
          );
          if (!result.verified) endRefused();
        });
      },
    ),
  );
  audit.addCommand(
    personCommand('export', 'write the log for `consilium audit verify`, and a copy for other readers')
      .requiredOption('--out <dir>', 'folder to write to')
      .addOption(
        new Option('--format <format>', 'json: what is verified, alone; else a copy beside it')
          .choices(['json', ...readableFormats])
          .default('json'),
      )
      .action(async (options: SiteCommandOptions & { out: string; format: 'json' | ReadableFormat }) => {
        await withSite(options, async ({ client }) => {
          const directory = path.resolve(options.out);
          const { files, leafCount } = await client.audit.export({ directory });
          const copy = options.format === 'json' ? [] : [writeReadableCopy(directory, options.format)];
          printResult(
            options,
            { files: [...files, ...copy], leafCount },
            (written) => `${written.leafCount} entries in ${written.files.join(', ')}`,
          );
        });
      }),
  );
}
