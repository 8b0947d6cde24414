// One run of a Bulk Data source (FHIR Bulk Data Access 2.0): kick-off or the export that a killed run left, polls, the files of the
// manifest, its deletions, and then the time from which the next run asks.
import { z } from 'zod';
import type { ArrivalBatch } from '../../arrival-batch.ts';
import type { IngestEvent } from '../../ingest-outcome.ts';
import type { RunContext } from '../source-kind.ts';
import { type BulkConnection, readJson, retryAfterMs } from './bulk-connection.ts';
import { BulkExportError } from './bulk-error.ts';
import { readBulkFile } from './bulk-file.ts';
import type { BulkExportSettings } from './bulk-settings.ts';

const output = z.object({
  type: z.string().max(100),
  url: z.string().max(8_000),
  count: z.int().min(0).optional(),
});
const manifestSchema = z.object({
  transactionTime: z.iso.datetime({ offset: true }),
  requiresAccessToken: z.boolean(),
  output: z.array(output).max(100_000),
  deleted: z.array(output).max(100_000).optional(),
  error: z
    .array(output.partial({ type: true }))
    .max(100_000)
    .optional(),
});
type Manifest = z.infer<typeof manifestSchema>;

/** What is kept between runs. */
const stateSchema = z.object({
  /** Where the export under way is asked after. */
  statusUrl: z.string().nullable(),
  /** `transactionTime` of the last export of which everything was imported. */
  since: z.string().nullable(),
});
type State = z.infer<typeof stateSchema>;

export interface BulkRunOptions {
  readonly context: RunContext;
  readonly settings: BulkExportSettings;
  readonly connection: BulkConnection;
  readonly batch: ArrivalBatch;
  /** Between polls, where the server says nothing. */
  readonly pollMs?: number;
}

const standardPollMs = 10_000;
const longestPollMs = 600_000;
/** Exports begun in one run: links expire while files are fetched. */
const maxExports = 3;

export class BulkRun {
  readonly #options: BulkRunOptions;
  #state: State;
  #byteCount = 0;
  readonly #startedMs: number;

  constructor(options: BulkRunOptions) {
    this.#options = options;
    this.#startedMs = options.context.clock.nowMs();
    this.#state = parseState(options.context.memory.loadState());
  }

  /** Events of every file; the summary is the caller's. @throws BulkExportError; Error when the signal ends it. */
  async *run(): AsyncGenerator<IngestEvent> {
    for (let count = 1; ; count += 1) {
      try {
        const manifest = await this.#export();
        yield* this.#importAll(manifest);
        const statusUrl = this.#state.statusUrl;
        this.#save({ statusUrl: null, since: manifest.transactionTime });
        await this.#delete(statusUrl);
        return;
      } catch (error) {
        // The export, or a link of it, is no longer there: a new one is asked for. What is in is known by its content.
        const isExpired =
          error instanceof BulkExportError && error.code === 'BULK_EXPIRED' && this.#state.statusUrl !== null;
        if (isExpired) this.#save({ ...this.#state, statusUrl: null });
        if (!isExpired || count >= maxExports) throw error;
      }
    }
  }

  /** Tells the server that the export is not wanted any more. */
  async cancel(): Promise<void> {
    const { statusUrl } = this.#state;
    this.#save({ ...this.#state, statusUrl: null });
    await this.#delete(statusUrl);
  }

  async #export(): Promise<Manifest> {
    if (this.#state.statusUrl === null) this.#save({ ...this.#state, statusUrl: await this.#kickOff() });
    return this.#poll(this.#state.statusUrl ?? '');
  }

  async #kickOff(): Promise<string> {
    const { connection, settings } = this.#options;
    const url = new URL(`${settings.url}/${settings.operation}`);
    url.searchParams.set('_outputFormat', 'application/fhir+ndjson');
    if (settings.types.length > 0) url.searchParams.set('_type', settings.types.join(','));
    if (this.#state.since !== null) url.searchParams.set('_since', this.#state.since);
    const headers = { accept: 'application/fhir+json', prefer: 'respond-async' };
    const answer = await connection.retry(() =>
      connection.send(url, { headers, withToken: true, taken: [202] }),
    );
    await answer.body.dump();
    const location = answer.headers['content-location'];
    if (typeof location !== 'string' || !URL.canParse(location, url.href))
      throw new BulkExportError('BULK_BAD_ANSWER', 'The server does not say where its export is.');
    return connection.checkAddress(new URL(location, url)).href;
  }

  async #poll(statusUrl: string): Promise<Manifest> {
    const { connection, settings, context } = this.#options;
    const headers = { accept: 'application/json' };
    const endMs = context.clock.nowMs() + settings.exportMs;
    let pollMs = this.#options.pollMs ?? standardPollMs;
    for (;;) {
      const answer = await connection.retry(() =>
        connection.send(statusUrl, { headers, withToken: true, taken: [200, 202] }),
      );
      if (answer.status === 200) return parseManifest(await readJson(answer));
      await answer.body.dump();
      if (context.clock.nowMs() > endMs)
        throw new BulkExportError('BULK_TIMED_OUT', 'The export takes too long.');
      await connection.pause(retryAfterMs(answer.headers) ?? pollMs);
      pollMs = Math.min(pollMs * 1.5, longestPollMs);
    }
  }

  async *#importAll(manifest: Manifest): AsyncGenerator<IngestEvent> {
    const { context } = this.#options;
    const files = filesOf(manifest);
    for (const [index, { name, url, count }] of files.entries()) {
      // A run that was killed goes on behind the files that have their outcome.
      const known = `${manifest.transactionTime} ${url}`;
      if (context.memory.isKnown(known)) continue;
      yield* this.#importFile({ name, url, count: count ?? null, withToken: manifest.requiresAccessToken });
      context.memory.add(known);
      yield this.#progress(index, files.length);
    }
  }

  #progress(fileIndex: number, fileCount: number): IngestEvent {
    const { context } = this.#options;
    const bytes = this.#byteCount;
    const elapsedMs = context.clock.nowMs() - this.#startedMs;
    const perSecond = elapsedMs > 0 ? Math.round((bytes * 1_000) / elapsedMs) : 0;
    // How much there is, the server does not say.
    return {
      kind: 'progress',
      path: context.label,
      fileIndex,
      fileCount,
      bytesRead: bytes,
      bytesTotal: bytes,
      rowCount: 0,
      bytesDone: bytes,
      bytesOffered: bytes,
      elapsedMs,
      remainingMs: null,
      rowsPerSecond: 0,
      bytesPerSecond: perSecond,
    };
  }

  async *#importFile(file: {
    name: string;
    url: string;
    count: number | null;
    withToken: boolean;
  }): AsyncGenerator<IngestEvent> {
    const { batch, connection, settings } = this.#options;
    const counted = this.#count(readBulkFile(connection, { ...file, maxBytes: settings.maxFileBytes }));
    yield { kind: 'file', file: await batch.importFile(file.name, counted) };
  }

  async *#count(parts: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      this.#byteCount += part.length;
      yield part;
    }
  }

  async #delete(statusUrl: string | null): Promise<void> {
    if (statusUrl === null) return;
    const { connection, settings } = this.#options;
    const signal = AbortSignal.timeout(Math.min(settings.timeoutMs, 5_000));
    try {
      const answer = await connection.send(statusUrl, {
        method: 'DELETE',
        withToken: true,
        taken: [200, 202, 204],
        signal,
      });
      await answer.body.dump();
    } catch {
      // A courtesy: the server forgets its export by itself.
    }
  }

  #save(state: State): void {
    this.#state = state;
    this.#options.context.memory.saveState(JSON.stringify(state));
  }
}

function parseState(text: string | null): State {
  return text === null ? { statusUrl: null, since: null } : stateSchema.parse(JSON.parse(text));
}

function parseManifest(answer: unknown): Manifest {
  const parsed = manifestSchema.safeParse(answer);
  if (!parsed.success)
    throw new BulkExportError('BULK_BAD_ANSWER', 'The list of the export is not as it should be.');
  return parsed.data;
}

/** Patients first, so that facts find them; deletions last; what the server could not export stands in files too. */
function filesOf({ output: files, deleted = [], error = [] }: Manifest) {
  const named = (prefix: string, list: Manifest['error']) =>
    (list ?? []).map(({ type = 'OperationOutcome', url, count }, index) => ({
      // A type is a word of FHIR; anything else is not made a name.
      name: `${prefix}${/^[A-Za-z]{1,64}$/.test(type) ? type : 'Resource'}-${index + 1}.ndjson`,
      url,
      count,
    }));
  const isPatient = ({ type }: { readonly type: string }): boolean => type === 'Patient';
  const ordered = [...files.filter(isPatient), ...files.filter((file) => !isPatient(file))];
  return [...named('', ordered), ...named('deleted-', deleted), ...named('error-', error)];
}
