// Every kind of source that this release knows. A kind is added here and nowhere else.
import { bulkExportKind } from './bulk-export/bulk-export-kind.ts';
import { dicomReceiverKind } from './dicom-receiver/receiver-kind.ts';
import { dicomwebKind } from './dicomweb/dicomweb-kind.ts';
import { mllpKind } from './mllp-listener/mllp-kind.ts';
import type { SourceKind } from './source-kind.ts';
import { watchedFolderKind } from './watched-folder/watched-folder-kind.ts';

export const sourceKinds: readonly SourceKind[] = [
  dicomReceiverKind,
  dicomwebKind,
  mllpKind,
  bulkExportKind,
  watchedFolderKind,
];
