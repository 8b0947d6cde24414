// The HL7 v2 listener as a source: its settings as an admin sets them, and what of its messages goes to the audit log, as counts.
import { readListenerPlace } from '../listener-settings.ts';
import { SettingReader } from '../setting-reader.ts';
import { badSetting } from '../source-error.ts';
import type { ListenContext, ListeningSource, SourceKind, SourceSettings } from '../source-kind.ts';
import { type MllpLimits, type MllpReport, type MllpSettings, openMllpListener } from './mllp-listener.ts';

export const mllpKind: SourceKind = {
  kind: 'mllp',
  secrets: ['tlsKey'],
  check: (settings) => void parseMllpSettings(settings),
  listen,
};

async function listen(context: ListenContext): Promise<ListeningSource> {
  const { inbox, label, clock, logger, record } = context;
  const journal = new MessageJournal(record);
  const listener = await openMllpListener({
    ...parseMllpSettings(context.settings),
    inbox,
    label,
    clock,
    logger,
    onMessage: (report) => journal.add(report),
  });
  return {
    close: async () => {
      await listener.close();
      journal.close();
    },
  };
}

/** @throws SourceError BAD_SOURCE_SETTINGS. */
export function parseMllpSettings(given: SourceSettings): {
  settings: MllpSettings;
  limits: Partial<MllpLimits>;
} {
  const read = new SettingReader(given);
  const processingIds = read.list('processingIds');
  if (!processingIds.every((id) => /^[A-Z]$/.test(id)))
    throw badSetting('processingIds', 'P, T or D with commas between them');
  const configuration = {
    settings: {
      ...readListenerPlace(read, 2_575),
      processingIds: processingIds.length === 0 ? ['P'] : processingIds,
    },
    limits: {
      maxConnections: read.count('maxConnections', { standard: 16, min: 1, max: 256 }),
      maxMessageBytes: read.count('maxMessageMegabytes', { standard: 16, min: 1, max: 16 }) * 2 ** 20,
      idleMs: read.count('idleSeconds', { standard: 3_600, min: 1, max: 86_400 }) * 1_000,
    },
  };
  read.refuseUnknown();
  return configuration;
}

const countsEveryMs = 60_000;

/** Counts of a minute: an interface sends thousands an hour, and each has its own outcome when it is imported. */
class MessageJournal {
  readonly #record: ListenContext['record'];
  #received = 0;
  #repeated = 0;
  readonly #refusedBy = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(record: ListenContext['record']) {
    this.#record = record;
  }

  add({ answer, isRepeated }: MllpReport): void {
    if (answer === null) return;
    if (answer.code !== null) this.#refusedBy.set(answer.code, (this.#refusedBy.get(answer.code) ?? 0) + 1);
    else if (isRepeated) this.#repeated += 1;
    else this.#received += 1;
    this.#timer ??= setTimeout(() => this.#write(), countsEveryMs).unref();
  }

  close(): void {
    this.#write();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [received, repeated] = [this.#received, this.#repeated];
    const ofReceived = {
      action: 'messages-received',
      outcome: 'success',
      detail: { received, repeated },
    } as const;
    // What cannot be written now is told with the next.
    if (received + repeated > 0 && this.#record(ofReceived)) {
      this.#received = 0;
      this.#repeated = 0;
    }
    const refusedBy = Object.fromEntries(this.#refusedBy);
    const ofRefused = { action: 'messages-refused', outcome: 'refused', detail: { refusedBy } } as const;
    if (this.#refusedBy.size > 0 && this.#record(ofRefused)) this.#refusedBy.clear();
  }
}
