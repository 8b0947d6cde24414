// A receiver on a free loopback port with its own inbox, for tests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/logger.ts';
import type { AssociationReport } from '#site/ingest/sources/dicom-receiver/association.ts';
import {
  type DicomReceiver,
  openDicomReceiver,
  type ReceiverLimits,
  type ReceiverSettings,
} from '#site/ingest/sources/dicom-receiver/receiver.ts';
import { type Inbox, openInbox } from '#site/ingest/sources/inbox.ts';
import type { InboxLimits } from '#site/ingest/sources/inbox-room.ts';

export interface ReceiverWorld {
  readonly receiver: DicomReceiver;
  readonly inbox: Inbox;
  readonly profile: string;
  readonly reports: AssociationReport[];
  /** Name -> bytes of everything that waits; removes it. */
  takeFiles(): Promise<Map<string, Buffer>>;
  close(): Promise<void>;
}

export interface ReceiverWorldOptions {
  readonly settings?: Partial<ReceiverSettings>;
  readonly limits?: Partial<ReceiverLimits>;
  readonly inboxLimits?: Partial<InboxLimits>;
  readonly profile?: string;
}

export async function openReceiverWorld(options: ReceiverWorldOptions = {}): Promise<ReceiverWorld> {
  const profile = options.profile ?? mkdtempSync(path.join(tmpdir(), 'consilium-receiver-'));
  const limits = { minFreeBytes: 0, ...options.inboxLimits };
  const inbox = openInbox({ profile, linkageKey: new Uint8Array(32), limits });
  const reports: AssociationReport[] = [];
  const receiver = await openDicomReceiver({
    settings: {
      aeTitle: 'CONSILIUM',
      callingAeTitles: ['PACS', 'STORESCU', 'ECHOSCU', 'ORTHANC'],
      host: '127.0.0.1',
      port: 0,
      peers: null,
      tls: null,
      ...options.settings,
    },
    limits: options.limits ?? {},
    inbox,
    label: 'radiology',
    clock: systemClock,
    logger: silentLogger,
    onEnd: (report) => void reports.push(report),
  });
  return {
    receiver,
    inbox,
    profile,
    reports,
    takeFiles: async () => {
      const files = new Map<string, Buffer>();
      for (let item = await inbox.take(); item !== undefined; item = await inbox.take()) {
        const parts: Uint8Array[] = [];
        for await (const part of item.read()) parts.push(part);
        files.set(item.header.name, Buffer.concat(parts));
        await item.remove();
      }
      return files;
    },
    close: async () => {
      await receiver.close();
      await inbox.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
