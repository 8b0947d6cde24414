// Receives a folder from storescu over one association and reports how long the sender took. Run by the bench as a process of its own:
// c-store-child.ts receive|import|orthanc SCRATCH-FOLDER FOLDER-TO-SEND COUNT. `receive` has every object durable in the inbox before
// it is acknowledged; `import` imports beside it and is measured until the last object has its outcome.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/logger.ts';
import { systemActor } from '#site/audit/index.ts';
import { openDicomReceiver } from '#site/ingest/sources/dicom-receiver/receiver.ts';
import { openInbox } from '#site/ingest/sources/inbox.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';
import { openScratchSite } from './scratch-site.ts';

const [way = '', scratch = '', folder = '', countText = '0'] = process.argv.slice(2);
const count = Number(countText);
/** dcmtk waits 40 ms for each answer with it off. */
const environment = { ...process.env, TCP_NODELAY: '1' };

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function send(port: number): Promise<void> {
  const words = ['+sd', '-aec', 'BENCH', '127.0.0.1', String(port), folder];
  const child = spawn('storescu', words, { stdio: ['ignore', 'ignore', 'inherit'], env: environment });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error('storescu ended with an error');
}

const settings = {
  aeTitle: 'BENCH',
  callingAeTitles: ['STORESCU'],
  host: '127.0.0.1',
  port: 0,
  peers: null,
  tls: null,
};

async function receive(): Promise<void> {
  const inbox = openInbox({ profile: scratch, linkageKey: new Uint8Array(32), limits: { minFreeBytes: 0 } });
  const receiver = await openDicomReceiver({
    settings,
    inbox,
    label: 'bench',
    clock: systemClock,
    logger: silentLogger,
    onEnd: () => {},
  });
  const started = beginMeasured();
  await send(receiver.port);
  reportMeasured(started, { amount: count });
  await receiver.close();
  await inbox.close();
}

async function receiveAndImport(): Promise<void> {
  const { store, ingest, sources } = openScratchSite(scratch);
  const port = await freePort();
  const given = { aeTitle: 'BENCH', callingAeTitles: 'STORESCU', port };
  await sources.save({ kind: 'dicom-receiver', label: 'bench', settings: given }, systemActor);
  await sources.listen();
  const started = beginMeasured();
  await send(port);
  while (ingest.listOutcomes({ offset: 0, limit: 1 }).total < count)
    await new Promise((resolve) => setTimeout(resolve, 20));
  reportMeasured(started, { amount: count });
  await sources.close();
  await ingest.close();
  store.close();
}

async function sendToOrthanc(): Promise<void> {
  const [port, httpPort] = [await freePort(), await freePort()];
  const store = path.join(scratch, 'orthanc');
  const configuration = path.join(scratch, 'orthanc.json');
  const plain = {
    StorageDirectory: store,
    IndexDirectory: store,
    DicomAet: 'BENCH',
    DicomPort: port,
    HttpPort: httpPort,
    Plugins: [],
  };
  writeFileSync(configuration, JSON.stringify(plain));
  const orthanc = spawn('/usr/sbin/Orthanc', [configuration], { stdio: 'ignore', env: environment });
  try {
    await untilListening(orthanc, port);
    const started = beginMeasured();
    await send(port);
    const seconds = (performance.now() - started.ms) / 1000;
    const usage = usageOf(orthanc);
    process.stdout.write(`${JSON.stringify({ seconds, amount: count, ...usage })}\n`);
  } finally {
    orthanc.kill('SIGKILL');
  }
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  while (child.exitCode === null) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('Orthanc did not start');
}

/** Of a process that runs, as Linux tells it. */
function usageOf({ pid }: ChildProcess): { cpuSeconds: number; peakMegabytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const times = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  const peak = /VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? '0';
  return {
    cpuSeconds: (Number(times[11]) + Number(times[12])) / 100,
    peakMegabytes: (Number(peak) * 1024) / 1e6,
  };
}

if (way === 'receive') await receive();
else if (way === 'import') await receiveAndImport();
else await sendToOrthanc();
