// Every program of the demo is a process of its own, started through the `consilium` command. What was started is stopped.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DemoError } from './demo-error.ts';

const command = fileURLToPath(new URL('../../cli/consilium.ts', import.meta.url));
const stopTimeoutMs = 10_000;

export interface DemoProcesses {
  /** Runs `consilium …` to its end and gives back its JSON document. @throws DemoError DEMO_STEP_FAILED with the command's own code. */
  run(words: readonly string[], environment?: Record<string, string>): Promise<unknown>;
  /** Starts a server and gives back the JSON document of its first line. */
  start(words: readonly string[]): Promise<unknown>;
  /** The same, with a hold on the process. */
  serve(words: readonly string[]): Promise<ServerProcess>;
  /** Asks every running process to end, and ends those that do not. */
  stop(): Promise<void>;
}

export interface ServerProcess {
  /** The JSON document of its first line. */
  readonly answer: unknown;
  readonly pid: number;
  /** Ends it as a power cut would (kill -9), and waits until it is gone. */
  kill(): Promise<void>;
}

/**
 * @param logFile descriptor that standard error of every process goes to.
 * @param shared environment of every process.
 */
export function createDemoProcesses(
  logFile: number,
  shared: Readonly<Record<string, string>> = {},
): DemoProcesses {
  const running = new Set<ChildProcess>();
  let isStopping = false;

  const launch = (words: readonly string[], environment: Record<string, string> = {}): ChildProcess => {
    if (isStopping) throw new DemoError('DEMO_INTERRUPTED', 'The demo was interrupted.');
    const child = spawn(process.execPath, [command, ...words, '--json'], {
      stdio: ['ignore', 'pipe', logFile],
      env: { ...ownEnvironment(), ...shared, ...environment },
      // A group of its own: Ctrl-C reaches the demo alone, which then stops everything in order.
      detached: true,
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    return child;
  };

  const serve = async (words: readonly string[]): Promise<ServerProcess> => {
    const child = launch(words);
    const { stdout, pid } = child;
    if (stdout === null || pid === undefined) throw stepFailed(words, '');
    const lines = createInterface({ input: stdout });
    const first = await Promise.race([
      new Promise<string>((resolve) => lines.once('line', resolve)),
      ended(child).then(() => ''),
    ]);
    if (first === '' || child.exitCode !== null) throw stepFailed(words, first);
    return { answer: JSON.parse(first), pid, kill: () => endProcess(child, 'SIGKILL') };
  };

  return {
    run: async (words, environment) => {
      const child = launch(words, environment);
      let text = '';
      child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      const code = await ended(child);
      if (code !== 0) throw stepFailed(words, text);
      return JSON.parse(text);
    },
    start: async (words) => (await serve(words)).answer,
    serve,
    stop: async () => {
      isStopping = true;
      await Promise.all([...running].map((child) => endProcess(child, 'SIGTERM')));
    },
  };
}

/** Without what the person's own shell says about another site. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { CONSILIUM_SECRET, CONSILIUM_KEYS, CONSILIUM_USER, ...rest } = process.env;
  return rest;
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('close', resolve);
  });
}

async function endProcess(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = ended(child);
  child.kill(signal);
  const killer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await over;
  clearTimeout(killer);
}

/** Names the sub-command and its code; the arguments hold paths and stay out. */
function stepFailed(words: readonly string[], output: string): DemoError {
  const step = words
    .filter((word) => /^[a-z]+$/.test(word))
    .slice(0, 3)
    .join(' ');
  const code = /"code":"([A-Z_]+)"/.exec(output)?.[1] ?? 'UNKNOWN';
  return new DemoError('DEMO_STEP_FAILED', `"consilium ${step}" ended with ${code}.`, {
    details: { step, code },
  });
}
