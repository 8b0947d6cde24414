// An HL7 v2 listener with its inbox in a process of its own, so that a test can kill it. Prints its port; argument: the profile
// folder. Used by tests alone.

import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/logger.ts';
import { openInbox } from '#site/ingest/sources/inbox.ts';
import { openMllpListener } from '#site/ingest/sources/mllp-listener/mllp-listener.ts';

const [, , profile = ''] = process.argv;
const inbox = openInbox({ profile, linkageKey: new Uint8Array(32).fill(22) });
const listener = await openMllpListener({
  settings: { host: '127.0.0.1', port: 0, peers: null, tls: null, processingIds: ['P'] },
  inbox,
  label: 'lab',
  clock: systemClock,
  logger: silentLogger,
});
process.stdout.write(`${listener.port}\n`);
