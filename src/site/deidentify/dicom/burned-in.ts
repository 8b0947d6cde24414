// Rule D5: what a data set's header says about text in its pixels. A file that may show a name waits until a person has looked at it.
import type { DataSet } from './data-set.ts';
import { findElement } from './data-set.ts';
import { textOf } from './element-text.ts';

export type BurnedInCode = 'BURNED_IN_TEXT' | 'BURNED_IN_SUSPECTED';

/** Why by header: the statement of the file, its modality, its kind of object, or how its image was made. */
export interface BurnedInRisk {
  readonly code: BurnedInCode;
  /** Keyword of the attribute that tells. */
  readonly field: 'BurnedInAnnotation' | 'Modality' | 'SOPClassUID' | 'ImageType' | 'ConversionType';
}

const pixelTags = [0x7fe00008, 0x7fe00009, 0x7fe00010];

/** Modalities whose devices draw name, date or measures into the image. */
const drawingModalities = new Set('US IVUS XA RF ES XC GM SC OT HC DOC DG PX'.split(' '));
const secondaryCapture = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.7(\.\d+)?$/;
/** Values of ImageType that screen saves, dose reports and slide labels carry. */
const drawnImage = /SCREEN|DOSE|REPORT|CSA|LABEL|OVERVIEW|PROTOCOL|CAPTURE|LOGO|RESULT/;

/** The risk that a header tells of; null where there are no pixels, or the file says NO, or nothing speaks for it. */
export function burnedInRisk(dataSet: DataSet): BurnedInRisk | null {
  if (!pixelTags.some((tag) => findElement(dataSet, tag) !== undefined)) return null;
  const stated = textOf(dataSet, 0x00280301).toUpperCase();
  if (stated === 'YES') return { code: 'BURNED_IN_TEXT', field: 'BurnedInAnnotation' };
  const suspect = (field: BurnedInRisk['field']): BurnedInRisk => ({ code: 'BURNED_IN_SUSPECTED', field });
  const imageType = textOf(dataSet, 0x00080008).toUpperCase();
  // A dose report that says NO is a screen full of text all the same.
  if (drawnImage.test(imageType)) return suspect('ImageType');
  if (stated === 'NO') return null;
  if (secondaryCapture.test(textOf(dataSet, 0x00080016))) return suspect('SOPClassUID');
  if (drawingModalities.has(textOf(dataSet, 0x00080060).toUpperCase())) return suspect('Modality');
  if (findElement(dataSet, 0x00080064) !== undefined) return suspect('ConversionType');
  const [pixels, examination] = imageType.split('\\');
  return pixels === 'DERIVED' && examination === 'SECONDARY' ? suspect('ImageType') : null;
}

const headParts = /HEAD|BRAIN|SKULL|FACE|ORBIT|SINUS|JAW|NECK|EAR|IAC|MAXILLA/;

/** Whether a face could be made from the image (option 113102 is a plan's choice): a head in CT, MR or PET, or the file's own word. */
export function mayShowFace(dataSet: DataSet): boolean {
  const stated = textOf(dataSet, 0x00280302).toUpperCase();
  if (stated !== '') return stated === 'YES';
  if (!/^(CT|MR|PT)$/.test(textOf(dataSet, 0x00080060))) return false;
  return headParts.test(textOf(dataSet, 0x00180015).toUpperCase());
}
