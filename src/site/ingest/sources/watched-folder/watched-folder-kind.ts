// A folder that exports are laid into, as a source: looked through again and again, because not every file system tells of changes. A
// file is read when it has kept size and time between two looks, so that none is taken while it is still being written.
import { lstatSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Actor, systemActor } from '#site/audit/index.ts';
import { listFiles } from '../../file-walk.ts';
import type { IngestEvent } from '../../ingest-outcome.ts';
import { isDiskFault } from '../disk-fault.ts';
import { SettingReader } from '../setting-reader.ts';
import { badSetting, SourceError } from '../source-error.ts';
import type {
  ListenContext,
  ListeningSource,
  RunContext,
  SourceKind,
  SourceSettings,
} from '../source-kind.ts';

export const watchedFolderKind: SourceKind = {
  kind: 'folder',
  secrets: [],
  check: (settings) => void parseFolderSettings(settings),
  listen: async (context) => watchFolder(context),
  run: (context) => scanFolder(context),
};

interface FolderSettings {
  readonly folder: string;
  readonly pollMs: number;
}

/** @throws SourceError BAD_SOURCE_SETTINGS. */
export function parseFolderSettings(given: SourceSettings): FolderSettings {
  const read = new SettingReader(given);
  const folder = read.text('path');
  if (!path.isAbsolute(folder)) throw badSetting('path', 'the whole path of a folder');
  const seconds = read.count('pollSeconds', { standard: 10, min: 1, max: 86_400 });
  read.refuseUnknown();
  return { folder, pollMs: seconds * 1_000 };
}

/** Everything that lies in the folder now; what is known is told as such. */
async function* scanFolder({
  settings,
  importPaths,
  actor,
  signal,
}: RunContext): AsyncGenerator<IngestEvent> {
  const { folder } = parseFolderSettings(settings);
  checkFolder(folder);
  yield* importPaths([folder], actor, signal);
}

/** @throws SourceError SOURCE_UNAVAILABLE. */
function checkFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new SourceError('SOURCE_UNAVAILABLE', 'The folder is not there.');
}

const filesInBatch = 500;

/** @param pollMs in place of the setting, for tests */
export function watchFolder(context: ListenContext, pollMs?: number): ListeningSource {
  const settings = parseFolderSettings(context.settings);
  checkFolder(settings.folder);
  const watch = new FolderWatch(context, settings.folder);
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      try {
        await watch.look(systemActor, stop.signal);
      } catch (error) {
        if (!isDiskFault(error)) throw error;
        context.logger.error('the disk has no room for what lies in a watched folder', {});
      }
      await pause(pollMs ?? settings.pollMs, stop.signal);
    }
  })().catch(() => context.onFailed('SOURCE_UNAVAILABLE'));
  return {
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

class FolderWatch {
  readonly #context: ListenContext;
  readonly #folder: string;
  /** What each file was like at the last look; only those that are not taken yet. */
  #seen = new Map<string, string>();

  constructor(context: ListenContext, folder: string) {
    this.#context = context;
    this.#folder = folder;
  }

  /** Imports what is new and has not changed since the last look. */
  async look(actor: Actor, signal: AbortSignal): Promise<void> {
    checkFolder(this.#folder);
    const seen = new Map<string, string>();
    let ready: { file: string; state: string }[] = [];
    for (const { path: file, trouble } of await listFiles([this.#folder])) {
      if (signal.aborted) return;
      const state = trouble === null ? stateOf(file) : undefined;
      if (state === undefined || this.#context.memory.isKnown(`${file}\0${state}`)) continue;
      if (this.#seen.get(file) === state) ready.push({ file, state });
      else seen.set(file, state);
      if (ready.length < filesInBatch) continue;
      await this.#import(ready, actor, signal);
      ready = [];
    }
    this.#seen = seen;
    if (ready.length > 0) await this.#import(ready, actor, signal);
  }

  async #import(
    ready: readonly { readonly file: string; readonly state: string }[],
    actor: Actor,
    signal: AbortSignal,
  ): Promise<void> {
    const { importPaths, memory, onReceived } = this.#context;
    let isWhole = false;
    const files = ready.map(({ file }) => file);
    for await (const event of importPaths(files, actor, signal)) isWhole = event.kind === 'summary';
    // Cut off: the same files are offered again, and what is in is known.
    if (!isWhole || signal.aborted) return;
    for (const { file, state } of ready) memory.add(`${file}\0${state}`);
    onReceived(ready.length);
  }
}

/** Size and time of a plain file; undefined where it is none, or gone. */
function stateOf(file: string): string | undefined {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true ? `${stats.size} ${stats.mtimeMs}` : undefined;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
