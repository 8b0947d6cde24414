// Every kind of source that this release knows. A kind is added here and nowhere else.
import { dicomReceiverKind } from './dicom-receiver/receiver-kind.ts';

<<<<<<< HEAD

import { mllpKind } from './mllp-listener/mllp-kind.ts';
import type { SourceKind } from './source-kind.ts';

export const sourceKinds: readonly SourceKind[] = [dicomReceiverKind, mllpKind];
=======

import { dicomwebKind } from './dicomweb/dicomweb-kind.ts';
import type { SourceKind } from './source-kind.ts';

export const sourceKinds: readonly SourceKind[] = [dicomReceiverKind, dicomwebKind];
>>>>>>> 685c759 (Fetch from a DICOMweb server: page by page, what is not there yet, tried again where waiting helps)
