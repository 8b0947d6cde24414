// `consilium site ingest PATH…`: files and folders go in; each ends with an outcome.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { CliError } from '#cli/cli-error.ts';
import { endRefused, printResult } from '#cli/output.ts';
import { showProgress } from '#cli/progress.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';
import type { IngestSummary } from '#ipc/schema.ts';

export function registerIngest(site: Command): void {
  site.addCommand(
    personCommand('ingest', 'take in exported files and folders')
      .argument('<path...>', 'files or folders')
      .option('--mapping <file>', 'saved column mapping, for CSV files')
      .action(async (paths: string[], options: SiteCommandOptions & { mapping?: string }) => {
        await withSite(options, async ({ client }) => {
          const absolute = paths.map((given) => path.resolve(given));
          const events = await client.ingest.paths({
            paths: absolute,
            mapping: readMapping(options.mapping),
          });
          let summary: IngestSummary | undefined;
          for await (const event of events) {
            if (event.kind === 'progress') {
              showProgress(
                `file ${event.fileIndex + 1} of ${event.fileCount}, ${event.rowCount} rows`,
                event.bytesRead / Math.max(1, event.bytesTotal),
              );
            } else if (event.kind === 'summary') summary = event.summary;
          }
          if (summary === undefined) return;
          printResult(options, summary, describe);
          if (
            summary.rejected > 0 ||
            summary.quarantined > 0 ||
            summary.files.some(({ rows }) => rows.rejected > 0)
          )
            endRefused();
        });
      }),
  );
}

function readMapping(file: string | undefined): string | null {
  if (file === undefined) return null;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CliError('USAGE', 'The mapping file cannot be read.', { cause });
  }
}

function describe(summary: IngestSummary): string[] {
  return [
    ...summary.files.map(
      ({ path: file, outcome, code, rows }) =>
        `${outcome.padEnd(11)} ${file}  ${rows.accepted} new, ${rows.duplicate} known, ${rows.rejected} refused, ${rows.notNeeded} not needed${code === null ? '' : `  ${code}`}`,
    ),
    `${summary.accepted} accepted, ${summary.duplicate} duplicate, ${summary.quarantined} quarantined, ${summary.rejected} rejected`,
  ];
}
