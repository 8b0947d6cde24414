// Refusals of the imaging stage. No message names a patient, an image or a place in the profile.
import { CodedError } from '#base/coded-error.ts';

export type ImagingCode = 'IMAGES_CHANGED' | 'IMAGES_TOO_FEW' | 'IMAGE_READING_STOPPED' | 'IMAGE_UNREADABLE';
export class ImagingError extends CodedError<ImagingCode> {}

/** Why a series is left out: what it lacks is known before anything is trained. */
export type LeftOutReason =
  | 'image-not-kept'
  | 'image-not-decoded'
  | 'image-not-grey'
  | 'image-not-finite'
  | 'segmentation-not-decoded'
  | 'segmentation-geometry';
