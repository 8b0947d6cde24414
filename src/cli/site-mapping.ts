// `consilium site mapping`: a first column mapping for a CSV, and what a mapping makes of its first rows. Cells of patients are
// printed for the person who asks and kept nowhere.
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CliError } from '#cli/cli-error.ts';
import { printResult } from '#cli/output.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';
import type { MappedColumn, MappingPreview } from '#ipc/ingest-contract.ts';

const headBytes = 262_144;

export function registerMapping(site: Command): void {
  const mapping = site.command('mapping').description('column mappings of CSV files');
  mapping.addCommand(
    personCommand('suggest', 'suggest what the columns of a CSV file mean')
      .argument('<file>', 'the CSV file')
      .option('--out <file>', 'write the mapping there')
      .action(async (file: string, options: SiteCommandOptions & { out?: string }) => {
        await withSite(options, async ({ client }) => {
          const suggestion = await client.mapping.suggest({ head: readHead(file) });
          if (options.out !== undefined) {
            if (suggestion.mapping === null)
              throw new CliError('USAGE', 'The columns do not make a mapping yet; nothing was written.');
            writeFileSync(options.out, `${suggestion.mapping}\n`, { flag: 'wx', mode: 0o600 });
          }
          printResult(options, suggestion, ({ columns }) => columns.map(describeColumn).join('\n'));
        });
      }),
  );
  mapping.addCommand(
    personCommand('preview', 'show what a mapping makes of the first rows of a CSV file')
      .argument('<file>', 'the CSV file')
      .requiredOption('--mapping <file>', 'saved column mapping')
      .action(async (file: string, options: SiteCommandOptions & { mapping: string }) => {
        await withSite(options, async ({ client }) => {
          const request = { head: readHead(file), mapping: readText(options.mapping) };
          printResult(options, await client.mapping.preview(request), describePreview);
        });
      }),
  );
}

function describeColumn({ name, role, code, unit, confidence }: MappedColumn): string {
  const meaning = [code?.display, unit].filter((part) => typeof part === 'string').join(', ');
  return `${name}: ${role}${meaning === '' ? '' : ` (${meaning})`}, ${Math.round(confidence * 100)} %`;
}

function describePreview({ rows, accepted, rejected }: MappingPreview): string {
  const lines = rows.map(({ row, day, facts, refusal }) => {
    if (refusal !== null) return `${row}: refused, ${[refusal.code, refusal.field ?? ''].join(' ').trim()}`;
    const said = facts.map(({ code, value, unit }) => [code, value, unit ?? ''].join(' ').trim());
    return `${row}: ${[day ?? '', ...said].join('; ')}`;
  });
  return [...lines, `${accepted} rows would be taken, ${rejected} refused.`].join('\n');
}

/** The first bytes of a file, base64. */
function readHead(file: string): string {
  try {
    const handle = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(headBytes);
      return bytes.subarray(0, readSync(handle, bytes, 0, headBytes, 0)).toString('base64');
    } finally {
      closeSync(handle);
    }
  } catch (cause) {
    throw new CliError('USAGE', 'The file cannot be read.', { cause });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CliError('USAGE', 'The mapping file cannot be read.', { cause });
  }
}
