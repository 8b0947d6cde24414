// Entry of the training process, under child_process.fork (site without a window) or Electron's utilityProcess.
// It ends with the site: a site that was killed leaves no engine running behind it.
import { loadEngine } from './engine.ts';
import { openEngineLadder } from './engine-ladder.ts';
import { lowerPriority } from './lower-priority.ts';
import type { TrainingReply, TrainingRequest } from './training-message.ts';
import { serveTraining } from './training-server.ts';

interface ElectronMessage {
  readonly data: TrainingRequest;
  readonly ports: readonly ElectronPort[];
}

/** Electron's ParentPort and MessagePortMain, as far as they are used here. */
interface ElectronPort {
  on(event: 'message', listener: (message: ElectronMessage) => void): void;
  on(event: 'close', listener: () => void): void;
  postMessage(reply: TrainingReply): void;
  start?(): void;
}

interface Connection {
  readonly post: (reply: TrainingReply) => void;
  readonly listen: (listener: (request: TrainingRequest) => void) => void;
}

/** Electron's main process hands the site's port over with its first message. */
function awaitElectronPort(parentPort: ElectronPort): Promise<Connection> {
  return new Promise((resolve) => {
    parentPort.on('message', ({ ports: [port] }) => {
      if (port === undefined) return;
      port.on('close', () => process.exit(0));
      resolve({
        post: (reply) => port.postMessage(reply),
        listen: (listener) => {
          port.on('message', ({ data }) => listener(data));
          port.start?.();
        },
      });
    });
  });
}

function connectToParent(): Connection {
  process.on('disconnect', () => process.exit(0));
  return {
    post: (reply) => process.send?.(reply),
    listen: (listener) => {
      process.on('message', (request: TrainingRequest) => listener(request));
    },
  };
}

const parentPort = (process as unknown as { parentPort?: ElectronPort }).parentPort;
const connection = parentPort === undefined ? connectToParent() : await awaitElectronPort(parentPort);
lowerPriority();
const ladder = await openEngineLadder({ engine: await loadEngine(process.env.TFJS_NATIVE) });
// A request may be here as soon as `ready` is out, so the listener is made by the same call.
connection.listen(serveTraining(ladder, connection.post));
