// A DICOMweb server as a source: asked when a steward says so.
import type { IngestEvent } from '../../ingest-outcome.ts';
import type { RunContext, SourceKind } from '../source-kind.ts';
import { parseDicomwebSettings } from './dicomweb-settings.ts';
import { describeFailure, WebConnection } from './web-connection.ts';
import { WebFetch } from './web-fetch.ts';

export const dicomwebKind: SourceKind = {
  kind: 'dicomweb',
  secrets: ['password', 'token', 'key'],
  check: (settings) => void parseDicomwebSettings(settings),
  run,
};

async function* run(context: RunContext): AsyncGenerator<IngestEvent> {
  const settings = parseDicomwebSettings(context.settings);
  const connection = new WebConnection(settings, context.signal);
  const batch = context.openArrivals(context.actor);
  let isClosed = false;
  try {
    yield* new WebFetch({ context, settings, connection, batch }).run();
    isClosed = true;
    yield { kind: 'summary', summary: batch.close() };
  } catch (error) {
    if (!context.signal.aborted) throw describeFailure(error).error;
    // Cancelled: what is in stays in, and is told.
    isClosed = true;
    yield { kind: 'summary', summary: batch.close() };
  } finally {
    if (!isClosed) batch.close();
    await connection.close();
  }
}
