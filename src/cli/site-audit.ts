// `consilium site audit`: verify the log, or export it so that anyone can.
import path from 'node:path';
import type { Command } from 'commander';
import { endRefused, printResult } from '#cli/output.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';

export function registerAuditCommands(site: Command): void {
  const audit = site.command('audit').description('the tamper-evident log');
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
    personCommand('export', 'write the log for `consilium audit verify`')
      .requiredOption('--out <dir>', 'folder to write to')
      .action(async (options: SiteCommandOptions & { out: string }) => {
        await withSite(options, async ({ client }) => {
          printResult(
            options,
            await client.audit.export({ directory: path.resolve(options.out) }),
            ({ files, leafCount }) => `${leafCount} entries in ${files.join(', ')}`,
          );
        });
      }),
  );
}
