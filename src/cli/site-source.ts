// `consilium site source`: where records come from by themselves. A value that begins with @ is read from a file: keys and passwords
// do not stand on the command line.
import { readFileSync } from 'node:fs';
import { Argument, type Command } from 'commander';
import { CliError } from '#cli/cli-error.ts';
import { describeProgress, describeSummary } from '#cli/ingest-report.ts';
import { endRefused, printResult } from '#cli/output.ts';
import { endProgress, showProgress } from '#cli/progress.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';
import { type Source, type SourceKind, sourceKind } from '#ipc/ingest-contract.ts';
import type { IngestSummary } from '#ipc/schema.ts';

export function registerSource(site: Command): void {
  const source = site.command('source').description('PACS, EHR servers and folders that records come from');
  source.addCommand(
    personCommand('list', 'list the sources').action(async (options: SiteCommandOptions) => {
      await withSite(options, async ({ client }) => {
        printResult(options, await client.sources.list(), (sources) => sources.map(describeSource));
      });
    }),
  );
  source.addCommand(
    personCommand('add', 'add a source, or change the one of this kind and label')
      .addArgument(new Argument('<kind>', 'what it is').choices(sourceKind.options))
      .requiredOption('--label <name>', 'what the source is called here')
      .option('--set <name=value...>', 'a setting; @FILE for the content of a file')
      .action(async (kind: SourceKind, options: SiteCommandOptions & { label: string; set?: string[] }) => {
        await withSite(options, async ({ client }) => {
          const settings = Object.fromEntries((options.set ?? []).map(parseSetting));
          const saved = await client.sources.save({ kind, label: options.label, settings });
          printResult(options, saved, describeSource);
        });
      }),
  );
  source.addCommand(
    personCommand('remove', 'remove a source; what came from it stays')
      .argument('<id>', 'as `list` shows it')
      .action(async (sourceId: string, options: SiteCommandOptions) => {
        await withSite(options, async ({ client }) => {
          await client.sources.remove({ sourceId });
          printResult(options, { sourceId }, () => `Removed ${sourceId}.`);
        });
      }),
  );
  source.addCommand(
    personCommand('run', 'fetch now from a source that is asked')
      .argument('<id>', 'as `list` shows it')
      .action(async (sourceId: string, options: SiteCommandOptions) => {
        await withSite(options, async ({ client }) => {
          const stop = new AbortController();
          const onInterrupt = (): void => stop.abort();
          process.once('SIGINT', onInterrupt);
          let summary: IngestSummary | undefined;
          try {
            for await (const event of await client.sources.run({ sourceId }, { signal: stop.signal })) {
              if (event.kind === 'progress') {
                const { label, share } = describeProgress(event);
                showProgress(label, share);
              } else if (event.kind === 'summary') summary = event.summary;
            }
          } finally {
            process.off('SIGINT', onInterrupt);
            endProgress();
          }
          if (summary === undefined) return;
          printResult(options, summary, (document) => describeSummary(document, 0));
          if (summary.rejected > 0 || summary.quarantined > 0) endRefused();
        });
      }),
  );
}

function describeSource({ sourceId, kind, label, state, code, received }: Source): string {
  const why = code === null ? '' : ` ${code}`;
  return `${sourceId}  ${kind.padEnd(14)} ${state.padEnd(9)}${why}  ${label}: ${received} received`;
}

/** @throws CliError USAGE. */
function parseSetting(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) throw new CliError('USAGE', 'A setting is written name=value.');
  const value = text.slice(at + 1);
  if (!value.startsWith('@')) return [text.slice(0, at), value];
  try {
    return [text.slice(0, at), readFileSync(value.slice(1), 'utf8')];
  } catch (cause) {
    throw new CliError('USAGE', 'The file of a setting cannot be read.', { cause });
  }
}
