// A DICOM receiver with its inbox in a process of its own, so that a test can kill it. Arguments: the profile folder and the port.
// Prints a line when it listens. Used by tests alone.

import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/logger.ts';
import { openDicomReceiver } from '#site/ingest/sources/dicom-receiver/receiver.ts';
import { openInbox } from '#site/ingest/sources/inbox.ts';

const [, , profile = '', port = '0'] = process.argv;
const inbox = openInbox({ profile, linkageKey: new Uint8Array(32).fill(22) });
const receiver = await openDicomReceiver({
  settings: {
    aeTitle: 'CONSILIUM',
    callingAeTitles: ['STORESCU'],
    host: '127.0.0.1',
    port: Number(port),
    peers: null,
    tls: null,
  },
  inbox,
  label: 'radiology',
  clock: systemClock,
  logger: silentLogger,
  onEnd: () => {},
});
process.stdout.write(`${receiver.port}\n`);
