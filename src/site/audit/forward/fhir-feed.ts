// Entries as a batch of AuditEvents to a FHIR R4 server (IHE ITI-20 in its FHIR form). Each is created only where the server has none of its
// tag yet, so that a batch whose answer was lost is sent again and leaves nothing twice.
import { Agent, request } from 'undici';
import { z } from 'zod';
import { fhirAuditEvent } from '../formats/fhir-audit-event.ts';
import { type Batch, type Feed, feedTimeoutMs } from './feed.ts';
import { ForwardingError } from './forwarding-error.ts';
import type { ForwardingSettings } from './forwarding-settings.ts';

type FhirSettings = Extract<ForwardingSettings, { readonly kind: 'fhir' }>;

const maxAnswerBytes = 10_000_000;

const answerBundle = z.object({
  resourceType: z.literal('Bundle'),
  entry: z.array(z.object({ response: z.object({ status: z.string() }) })),
});

export function createFhirFeed(settings: FhirSettings): Feed {
  const { authority, certificate, key } = settings;
  const agent = new Agent({
    connections: 1,
    connect: {
      minVersion: 'TLSv1.2',
      ...(authority === null ? {} : { ca: authority }),
      ...(certificate === null || key === null ? {} : { cert: certificate, key }),
    },
  });
  return {
    batchSize: 100,
    send: async (batch) => acknowledgedOf(await post(agent, settings, batch), batch.entries.length),
    close: () => agent.destroy(),
  };
}

async function post(agent: Agent, { url, token }: FhirSettings, batch: Batch): Promise<unknown> {
  const signal = AbortSignal.any([batch.signal, AbortSignal.timeout(feedTimeoutMs)]);
  try {
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      method: 'POST',
      headers: {
        'content-type': 'application/fhir+json',
        accept: 'application/fhir+json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(bundleOf(batch)),
      signal,
    });
    const text = await readText(body);
    if (statusCode !== 200) throw refused(String(statusCode));
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof ForwardingError) throw error;
    if (error instanceof SyntaxError) throw refused('no JSON');
    // The cause may quote the address.
    throw new ForwardingError('REPOSITORY_UNAVAILABLE', 'The audit repository did not answer.');
  }
}

function bundleOf({ entries, source }: Batch) {
  return {
    resourceType: 'Bundle',
    type: 'batch',
    entry: entries.map((entry) => {
      const resource = fhirAuditEvent(entry, source);
      const tag = resource.meta.tag[0];
      const ifNoneExist = `_tag=${encodeURIComponent(`${tag?.system}|${tag?.code}`)}`;
      return { resource, request: { method: 'POST', url: 'AuditEvent', ifNoneExist } };
    }),
  };
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let byteCount = 0;
  for await (const part of body) {
    byteCount += part.length;
    // Stops an answer without end from filling the memory.
    if (byteCount > maxAnswerBytes) throw refused('too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** 201 for one that was created, 200 for one that was there. What follows the first other answer is sent again. */
function acknowledgedOf(answer: unknown, sent: number): number {
  const bundle = answerBundle.safeParse(answer);
  if (!bundle.success || bundle.data.entry.length !== sent) throw refused('no batch answer');
  const statuses = bundle.data.entry.map(({ response }) => response.status);
  const firstOther = statuses.findIndex((status) => !/^20[01](?: |$)/.test(status));
  if (firstOther === 0) throw refused(statuses[0]?.slice(0, 3) ?? '');
  return firstOther < 0 ? sent : firstOther;
}

/** @param found a status, or what is wrong with the answer: never its text */
function refused(found: string): ForwardingError {
  return new ForwardingError('REPOSITORY_REFUSED', 'The audit repository refused the entries.', {
    details: { found },
  });
}
