// What the site's thread and an import worker say to each other about a job of files: read and told, decided, done. Nothing of it
// leaves the process: names and identifiers cross here, and are sealed where they are stored.
import type { PatientKey } from '#site/deidentify/index.ts';
import type { ObjectPlace } from '#site/store/index.ts';
import type { FileRefusalCode } from '../ingest-error.ts';
import type { ImageAttributes } from './image-attributes.ts';

/** What a worker works with as long as it lives. */
export interface WorkerSettings {
  readonly subjectKey: Uint8Array;
  readonly linkageKey: Uint8Array;
  /** Folder of the sealed objects. */
  readonly objectFolder: string;
  readonly maxFileBytes: number;
}

/** What the site has set for its images. */
export interface ImagingSettings {
  /** Whether the de-identified files are kept, or only what the index says of them. */
  readonly keepsPixels: boolean;
  /** Who gives patient identifiers where the file does not say it. */
  readonly patientAuthority: string;
  /** How files name an authority -> the URI by which the site knows it. */
  readonly authorities: ReadonlyMap<string, string>;
}

export type WorkerFile =
  /** Bytes on the site's disk. */
  | { readonly kind: 'path'; readonly path: string; readonly isGiven: boolean }
  /** Bytes that came another way: pushed, out of an archive, out of quarantine. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** Checks that a person has waived for a file (release from quarantine). */
export type WaivedCheck = 'burned-in' | 'decode';

export interface JobFile {
  readonly file: WorkerFile;
  readonly waived: readonly WaivedCheck[];
}

export interface StatedPatient {
  readonly key: PatientKey;
  readonly name: string | null;
  /** `YYYY-MM-DD`. */
  readonly birthDate: string | null;
  readonly sex: 'male' | 'female' | 'other' | null;
}

/** A file that was read and told what it is. */
export type PreparedFile =
  | { readonly kind: 'refused'; readonly code: FileRefusalCode; readonly field: string | null }
  | {
      readonly kind: 'image';
      readonly sourceDigest: Uint8Array;
      /** New UIDs. */
      readonly sopInstanceUid: string;
      readonly imagingStudyUid: string;
      readonly imagingSeriesUid: string;
      /** Null where the file names none. */
      readonly patient: StatedPatient | null;
    }
  /** A DICOMDIR: the paths it names, in parts; null where a record names what no path may be. */
  | {
      readonly kind: 'directory';
      readonly sourceDigest: Uint8Array;
      readonly references: readonly (readonly string[] | null)[];
    };

export type FileDecision =
  | { readonly kind: 'skip' }
  | { readonly kind: 'quarantine'; readonly code: FileRefusalCode; readonly field: string | null }
  | { readonly kind: 'refuse'; readonly code: FileRefusalCode; readonly field: string | null }
  | { readonly kind: 'import'; readonly subjectId: string };

export type FinishedFile =
  | { readonly kind: 'skipped' }
  | { readonly kind: 'refused'; readonly code: FileRefusalCode; readonly field: string | null }
  | {
      readonly kind: 'quarantined';
      readonly code: FileRefusalCode;
      readonly field: string | null;
      readonly modality: string | null;
      readonly place: ObjectPlace;
    }
  | {
      readonly kind: 'image';
      /** That it was made pseudonymous for. */
      readonly subjectId: string;
      readonly attributes: ImageAttributes;
      readonly place: ObjectPlace | null;
    };

export type WorkerRequest =
  | {
      readonly kind: 'job';
      readonly jobId: number;
      readonly files: readonly JobFile[];
      readonly imaging: ImagingSettings;
    }
  | { readonly kind: 'decided'; readonly jobId: number; readonly decisions: readonly FileDecision[] };

export type WorkerReply =
  | { readonly kind: 'prepared'; readonly jobId: number; readonly files: readonly PreparedFile[] }
  | {
      readonly kind: 'finished';
      readonly jobId: number;
      readonly files: readonly FinishedFile[];
      /** Segment that the worker writes to. */
      readonly segment: number | null;
    }
  /** The job cannot go on, and no file is to blame: the disk is full. */
  | { readonly kind: 'failed'; readonly jobId: number; readonly code: string; readonly found: string };

export interface WorkerStart {
  readonly settings: WorkerSettings;
  readonly segment: number | null;
  /** Four numbers shared with the site's thread: job, file in it, whether it is being worked on, and since which tick. */
  readonly watch: SharedArrayBuffer;
}
