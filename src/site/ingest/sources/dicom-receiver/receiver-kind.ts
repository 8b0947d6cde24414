// The DICOM receiver as a source: its settings as an admin sets them, and what of its associations goes to the audit log (A7).
import { readListenerPlace } from '../listener-settings.ts';
import { SettingReader } from '../setting-reader.ts';
import { badSetting } from '../source-error.ts';
import type { ListenContext, ListeningSource, SourceKind, SourceSettings } from '../source-kind.ts';
import { AssociationJournal } from './association-journal.ts';
import { openDicomReceiver, type ReceiverLimits, type ReceiverSettings } from './receiver.ts';

export const dicomReceiverKind: SourceKind = {
  kind: 'dicom-receiver',
  secrets: ['tlsKey'],
  check: (settings) => void parseReceiverSettings(settings),
  listen,
};

async function listen(context: ListenContext): Promise<ListeningSource> {
  const { inbox, label, clock, logger, record } = context;
  const journal = new AssociationJournal(record);
  const receiver = await openDicomReceiver({
    ...parseReceiverSettings(context.settings),
    inbox,
    label,
    clock,
    logger,
    onEnd: (report) => journal.add(report),
  });
  return {
    close: async () => {
      await receiver.close();
      journal.close();
    },
  };
}

interface ReceiverConfiguration {
  readonly settings: ReceiverSettings;
  readonly limits: Partial<ReceiverLimits>;
}

/** @throws SourceError BAD_SOURCE_SETTINGS. */
export function parseReceiverSettings(given: SourceSettings): ReceiverConfiguration {
  const read = new SettingReader(given);
  const aeTitle = read.text('aeTitle');
  const callingAeTitles = read.list('callingAeTitles');
  if (!isAeTitle(aeTitle)) throw badSetting('aeTitle', 'an AE title of at most 16 characters');
  if (callingAeTitles.length === 0 || !callingAeTitles.every(isAeTitle))
    throw badSetting('callingAeTitles', 'AE titles with commas between them');
  const configuration = {
    settings: {
      aeTitle,
      callingAeTitles,
      ...readListenerPlace(read, 11_112),
    },
    limits: {
      maxAssociations: read.count('maxAssociations', { standard: 16, min: 1, max: 256 }),
      maxObjectBytes: read.count('maxObjectMegabytes', { standard: 2_048, min: 1, max: 16_384 }) * 2 ** 20,
      idleMs: read.count('idleSeconds', { standard: 60, min: 1, max: 3_600 }) * 1_000,
    },
  };
  read.refuseUnknown();
  return configuration;
}

/** Printable, without a backslash (PS3.5 section 6.2, AE). */
function isAeTitle(text: string): boolean {
  return /^[\x20-\x5b\x5d-\x7e]{1,16}$/.test(text);
}
