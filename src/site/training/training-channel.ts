// How a site reaches its training process. Forked here; under Electron the shell passes a channel of its own.
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type EngineThreads, threadSettings } from './engine-threads.ts';
import type { TrainingReply, TrainingRequest } from './training-message.ts';

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface TrainingChannel {
  post(request: TrainingRequest): void;
  onMessage(listener: (reply: TrainingReply) => void): void;
  /** Called once, also when the process could not be started. */
  onExit(listener: (exit: ProcessExit) => void): void;
  kill(): void;
}

/** What TensorFlow, Vulkan's drivers and Dawn say about themselves on standard error at every start. */
const engineChatter =
  /^(?:WARNING: All log messages before absl::|[IW]\d{4} |To enable the following instructions|error: XDG_RUNTIME_DIR|Warning: (?:vk|Vulkan|loader)| - While | {4}at \w+Impl)/;

/** What an engine needs to find its libraries, its device and a folder for its temporary files. */
const passedOn = [
  'PATH',
  'HOME',
  'TMPDIR',
  'LANG',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'SystemRoot',
  'TEMP',
  'TMP',
  'USERPROFILE',
  'CUDA_VISIBLE_DEVICES',
  'VK_DRIVER_FILES',
  'VK_ICD_FILENAMES',
  'XDG_RUNTIME_DIR',
  'OMP_NUM_THREADS',
  'TFJS_NATIVE',
  'TF_CPP_MIN_LOG_LEVEL',
] as const;

/** Stops a secret of the command line's environment (CONSILIUM_SECRET) from reaching the process that loads TensorFlow. */
function trainingEnvironment(): Record<string, string> {
  return Object.fromEntries(
    passedOn.flatMap((name): [string, string][] => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Starts the training process under this very Node. `entry` is for a bundled build. */
export function openForkedChannel(
  threads: EngineThreads,
  most: number | null = null,
  entry: URL = new URL('./training-process.ts', import.meta.url),
): TrainingChannel {
  const child = fork(fileURLToPath(entry), [], {
    execPath: process.execPath,
    execArgv: [],
    env: { ...trainingEnvironment(), ...threadSettings(threads, most) },
    serialization: 'advanced', // typed arrays cross as they are
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (!engineChatter.test(line)) process.stderr.write(`${line}\n`);
    });
  }
  return {
    post: (request) => {
      // A process that has just died answers with its exit, not with an exception here.
      child.send(request, () => {});
    },
    onMessage: (listener) => {
      child.on('message', (reply) => listener(reply as TrainingReply));
    },
    onExit: (listener) => {
      let told = false;
      const tell = (code: number | null, signal: string | null) => {
        if (!told) listener({ code, signal });
        told = true;
      };
      child.on('exit', tell);
      child.on('error', () => {
        if (child.pid === undefined) tell(null, null);
      });
    },
    kill: () => {
      child.kill('SIGKILL');
    },
  };
}
