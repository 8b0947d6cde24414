// A FHIR server with Bulk Data export as a source: asked when a steward says so; from the second run on for what changed since.
import type { IngestEvent } from '../../ingest-outcome.ts';
import type { RunContext, SourceKind } from '../source-kind.ts';
import { BulkConnection } from './bulk-connection.ts';
import { BulkRun } from './bulk-export.ts';
import { parseBulkExportSettings } from './bulk-settings.ts';

export const bulkExportKind: SourceKind = {
  kind: 'bulk-export',
  secrets: ['signingKey'],
  check: (settings) => void parseBulkExportSettings(settings),
  run: (context) => runBulkExport(context),
};

/** How long is waited where the server says nothing: between polls, and before the second try of a request. */
export interface BulkPace {
  readonly pollMs: number;
  readonly firstPauseMs: number;
}

export async function* runBulkExport(context: RunContext, pace?: BulkPace): AsyncGenerator<IngestEvent> {
  const settings = parseBulkExportSettings(context.settings);
  const connection = new BulkConnection(settings, context.signal, pace?.firstPauseMs);
  const batch = context.openArrivals(context.actor);
  const run = new BulkRun({
    context,
    settings,
    connection,
    batch,
    ...(pace === undefined ? {} : { pollMs: pace.pollMs }),
  });
  let isClosed = false;
  try {
    yield* run.run();
    isClosed = true;
    yield { kind: 'summary', summary: batch.close() };
  } catch (error) {
    if (!context.signal.aborted) throw error;
    // Cancelled: what is in stays in, and is told.
    isClosed = true;
    await run.cancel();
    yield { kind: 'summary', summary: batch.close() };
  } finally {
    if (!isClosed) batch.close();
    await connection.close();
  }
}
