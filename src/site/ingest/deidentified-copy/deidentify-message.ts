// What the process that de-identifies folders and its worker threads say to each other. No value of a file is in any of it.
import type { BurnedInCode, DicomProfile, SafePrivateElement } from '#site/deidentify/index.ts';
import type { FileRefusalCode } from '../ingest-error.ts';

export type DeidentifyFileCode =
  | FileRefusalCode
  | BurnedInCode
  | 'DICOM_DIRECTORY'
  | 'NO_INSTANCE_UID'
  | 'OUTPUT_FAILED'
  | 'SAME_INSTANCE_UID';

export interface WrittenFile {
  readonly outcome: 'written' | 'duplicate';
  /** Path below the output folder, made of new UIDs. */
  readonly output: string;
  /** The head can be told from the image and no plan asked for its defacing. */
  readonly mayShowFace: boolean;
}

export interface HeldFile {
  /** `skipped`: no object but an index of others. */
  readonly outcome: 'quarantined' | 'rejected' | 'skipped';
  readonly code: DeidentifyFileCode;
  /** Keyword of the attribute that tells, if one does. */
  readonly field: string | null;
}

export type FileResult = WrittenFile | HeldFile;

/** `workerData` of a worker thread. */
export interface WorkerStart {
  /** 32 bytes; pseudonyms, UIDs and dates all come from it. */
  readonly key: Uint8Array;
  readonly outFolder: string;
  readonly options: readonly Parameters<DicomProfile['options']['has']>[0][];
  readonly safePrivate: readonly SafePrivateElement[];
  /** Files that are suspected of text in their pixels, and say no such thing themselves, are written too. */
  readonly writesSuspected: boolean;
}

export interface WorkerJob {
  readonly files: readonly { readonly index: number; readonly path: string; readonly isGiven: boolean }[];
}

export interface WorkerReply {
  readonly index: number;
  readonly result: FileResult;
}
