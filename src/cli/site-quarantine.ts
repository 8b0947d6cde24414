// `consilium site quarantine`: files that wait for a person's decision.
import { type Command, InvalidArgumentError } from 'commander';
import { bytesText } from '#cli/ingest-report.ts';
import { parseWholeNumber } from '#cli/option-parsers.ts';
import { endRefused, printResult } from '#cli/output.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';
import type { QuarantineEntry } from '#ipc/ingest-contract.ts';

interface DecisionOptions extends SiteCommandOptions {
  readonly reason: string;
}

export function registerQuarantine(site: Command): void {
  const quarantine = site.command('quarantine').description('files that wait for a decision');
  quarantine.addCommand(
    personCommand('list', 'what is held and why, newest first')
      .option('--offset <number>', 'first row', parseWholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
      .option('--limit <number>', 'rows at most', parseWholeNumber(1, 500), 100)
      .action(async (options: SiteCommandOptions & { offset: number; limit: number }) => {
        await withSite(options, async ({ client }) => {
          const { offset, limit } = options;
          printResult(options, await client.quarantine.list({ offset, limit }), ({ total, entries }) => [
            ...entries.map(describe),
            `${total} held`,
          ]);
        });
      }),
  );
  quarantine.addCommand(
    decisionCommand('release', 'take a file in after all').action(
      async (quarantineId: number, options: DecisionOptions) => {
        await withSite(options, async ({ client }) => {
          const file = await client.quarantine.release({ quarantineId, reason: options.reason });
          printResult(options, file, ({ outcome, code }) => `${outcome}${code === null ? '' : `  ${code}`}`);
          if (file.outcome !== 'accepted') endRefused();
        });
      },
    ),
  );
  quarantine.addCommand(
    decisionCommand('delete', 'destroy a file for good').action(
      async (quarantineId: number, options: DecisionOptions) => {
        await withSite(options, async ({ client }) => {
          await client.quarantine.delete({ quarantineId, reason: options.reason });
          printResult(options, { quarantineId }, () => `Deleted ${quarantineId}.`);
        });
      },
    ),
  );
}

function decisionCommand(name: string, description: string): Command {
  return personCommand(name, description)
    .argument('<id>', 'as `list` shows it', parseWholeNumber(1, Number.MAX_SAFE_INTEGER))
    .requiredOption('--reason <text>', 'why, for the audit log', parseReason);
}

function parseReason(text: string): string {
  if (text.length < 3 || text.length > 500)
    throw new InvalidArgumentError('Give a reason of 3 to 500 characters.');
  return text;
}

function describe({ quarantineId, code, field, modality, byteCount, name }: QuarantineEntry): string {
  const why = field === null ? code : `${code} ${field}`;
  return `${quarantineId}  ${why}  ${modality ?? '-'}  ${bytesText(byteCount)}  ${name}`;
}
