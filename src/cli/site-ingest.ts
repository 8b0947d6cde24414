// `consilium site ingest PATH…`: files and folders go in; each ends with an outcome. Ctrl-C ends it between two steps: what is in
// stays in, and is told.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { CliError } from '#cli/cli-error.ts';
import { describeProgress, describeSummary, summaryOf } from '#cli/ingest-report.ts';
import { endRefused, printResult } from '#cli/output.ts';
import { endProgress, showProgress } from '#cli/progress.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';
import type { SiteClient } from '#headless/reach-site.ts';
import type { FileOutcome, IngestSummary } from '#ipc/schema.ts';

export function registerIngest(site: Command): void {
  site.addCommand(
    personCommand('ingest', 'take in exported files and folders')
      .argument('<path...>', 'files or folders')
      .option(
        '--mapping <file>',
        'saved column mapping, for CSV files; or the name of a shipped one: synthea',
      )
      .action(async (paths: string[], options: SiteCommandOptions & { mapping?: string }) => {
        await withSite(options, async ({ client }) => {
          const request = {
            paths: paths.map((given) => path.resolve(given)),
            mapping: readMapping(options.mapping),
          };
          const { summary, notRead } = await ingest(client, request);
          printResult(options, summary, (document) => describeSummary(document, notRead));
          const hasRefused = summary.files.some(({ rows }) => rows.rejected > 0);
          if (summary.rejected > 0 || summary.quarantined > 0 || hasRefused || notRead > 0) endRefused();
        });
      }),
  );
}

interface Ingested {
  readonly summary: IngestSummary;
  /** Files that were found and not read, because a person stopped the import. */
  readonly notRead: number;
}

async function ingest(
  client: SiteClient,
  request: { readonly paths: string[]; readonly mapping: string | null },
): Promise<Ingested> {
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  // Once: a second Ctrl-C ends the process as ever.
  process.once('SIGINT', onInterrupt);
  const files: FileOutcome[] = [];
  let fileCount = 0;
  let summary: IngestSummary | undefined;
  const before = await newestOutcomeId(client);
  try {
    for await (const event of await client.ingest.paths(request, { signal: stop.signal })) {
      if (event.kind === 'progress') {
        fileCount = event.fileCount;
        const { label, share } = describeProgress(event);
        showProgress(label, share);
      } else if (event.kind === 'file') files.push(event.file);
      else summary = event.summary;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    process.off('SIGINT', onInterrupt);
    endProgress();
  }
  // Over a socket a stopped stream gives nothing more: what it left is asked for.
  const ended = summary ?? summaryOf(withRefusals(await outcomesSince(client, before), files));
  const { accepted, duplicate, quarantined, rejected } = ended;
  const done = accepted + duplicate + quarantined + rejected;
  return { summary: ended, notRead: stop.signal.aborted ? Math.max(0, fileCount - done) : 0 };
}

const pageLimit = 500;
const settleAttempts = 12;
const settlePauseMs = 250;

async function newestOutcomeId(client: SiteClient): Promise<number> {
  const { outcomes } = await client.ingest.outcomes({ offset: 0, limit: 1 });
  return outcomes[0]?.outcomeId ?? 0;
}

/** Every outcome stored after `outcomeId`, in the order in which they came, once no more of them come. */
async function outcomesSince(client: SiteClient, outcomeId: number): Promise<FileOutcome[]> {
  // The site notices between two steps that it was stopped, then gives what was under way its outcome.
  let newest = await newestOutcomeId(client);
  for (let attempt = 1; attempt <= settleAttempts; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, settlePauseMs));
    const now = await newestOutcomeId(client);
    if (now === newest && attempt > 2) break;
    newest = now;
  }
  const found: FileOutcome[] = [];
  for (let offset = 0; ; offset += pageLimit) {
    const { outcomes } = await client.ingest.outcomes({ offset, limit: pageLimit });
    const since = outcomes.filter((outcome) => outcome.outcomeId > outcomeId);
    for (const { name, outcome, format, code, reason, rows } of since)
      found.push({ path: name, outcome, format, code, reason, rows, refusals: [] });
    if (since.length < pageLimit) return found.toReversed();
  }
}

/** The outcomes with the refused rows of those that were told while the import ran. */
function withRefusals(outcomes: readonly FileOutcome[], told: readonly FileOutcome[]): FileOutcome[] {
  const byPath = new Map(told.map((file) => [file.path, file]));
  return outcomes.map((outcome) => byPath.get(outcome.path) ?? outcome);
}

/** A shipped mapping needs no text: its tables are known by their headers. */
function readMapping(file: string | undefined): string | null {
  if (file === undefined || (file === 'synthea' && !existsSync(file))) return null;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CliError('USAGE', 'The mapping file cannot be read.', { cause });
  }
}
