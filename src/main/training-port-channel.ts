// The training process of Electron, as the channel that the site's training host speaks over.
import type { MessagePortMain, ParentPort } from 'electron';
import type { TrainingChannel } from '#site/site.ts';
import type { FromSite, ToSite } from './shell-message.ts';

export interface PortChannel {
  /** Asks the shell for a training process. */
  open(threads: 'one' | 'all', most: number | null): TrainingChannel;
  /** Takes the shell's messages `training-port` and `training-exit`. */
  receive(message: ToSite, port: MessagePortMain | undefined): void;
}

type Reply = Parameters<Parameters<TrainingChannel['onMessage']>[0]>[0];
type Request = Parameters<TrainingChannel['post']>[0];
type Exit = Parameters<Parameters<TrainingChannel['onExit']>[0]>[0];

interface OpenChannel {
  port: MessagePortMain | undefined;
  readonly waiting: Request[];
  onMessage: (reply: Reply) => void;
  onExit: (exit: Exit) => void;
}

/** What was posted before the shell's port arrived is kept and sent in order. */
export function createPortChannel(parent: Pick<ParentPort, 'postMessage'>): PortChannel {
  const tell = (message: FromSite) => parent.postMessage(message);
  let current: OpenChannel | undefined;
  return {
    open: (threads, most) => {
      const channel: OpenChannel = { port: undefined, waiting: [], onMessage: () => {}, onExit: () => {} };
      current = channel;
      tell({ kind: 'open-training', threads: threads === 'one' ? 1 : most });
      return {
        post: (request) => {
          if (channel.port === undefined) channel.waiting.push(request);
          else channel.port.postMessage(request);
        },
        onMessage: (listener) => {
          channel.onMessage = listener;
        },
        onExit: (listener) => {
          channel.onExit = listener;
        },
        kill: () => tell({ kind: 'kill-training' }),
      };
    },
    receive: (message, port) => {
      const channel = current;
      if (channel === undefined) return;
      if (message.kind === 'training-port' && port !== undefined) {
        channel.port = port;
        port.on('message', ({ data }) => channel.onMessage(data as Reply));
        port.start();
        for (const request of channel.waiting.splice(0)) port.postMessage(request);
      } else if (message.kind === 'training-exit') {
        channel.onExit({ code: null, signal: null });
      }
    },
  };
}
