// Reads a de-identified object once more, with a reader that shares no code with ours (dicom-parser): what must be gone by the profile
// is gone for whoever reads it elsewhere. Stops an object whose elements two readers see differently (parser differential).
import dicomParser, { type DataSet } from 'dicom-parser';
import { type DicomProfile, defaultDicomProfile, keywordOf, resolveProfile } from '#site/deidentify/index.ts';
import { DicomRefusal } from './dicom-refusal.ts';

const sopClassUid = 'x00080016';
const identityRemoved = 'x00120062';

/**
 * @param bytes of a Part 10 file as `encodeDicom` gives it
 * @throws DicomRefusal DICOM_NOT_DEIDENTIFIED with the keyword of an element that should not be there, or null where the object does
 * not read at all.
 */
export function verifyDeidentified(bytes: Uint8Array, profile: DicomProfile = defaultDicomProfile): void {
  const dataSet = readAgain(bytes);
  if (dataSet.string(identityRemoved) !== 'YES') throw refusal(0x00120062);
  const rules = resolveProfile(profile.options, dataSet.string(sopClassUid) ?? '');
  const isPrivateSafe = profile.safePrivate.length > 0;
  const open = [dataSet];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const element of Object.values(next.elements)) {
      const tag = Number.parseInt(element.tag.slice(1), 16);
      const group = Math.floor(tag / 0x10000);
      const isGone =
        group % 2 === 1 ? !isPrivateSafe : rules.get(tag)?.action === 'remove' || isGraphic(group);
      if (isGone) throw refusal(tag);
      for (const { dataSet: item } of element.items ?? []) if (item !== undefined) open.push(item);
    }
  }
}

/** Curves and overlays: they can be drawn over with a name. */
function isGraphic(group: number): boolean {
  const range = Math.floor(group / 0x100);
  return range === 0x50 || range === 0x60;
}

function readAgain(bytes: Uint8Array): DataSet {
  try {
    return dicomParser.parseDicom(bytes);
  } catch {
    // The library's messages hold positions and tags of the file; only the fact is kept.
    throw new DicomRefusal('DICOM_NOT_DEIDENTIFIED');
  }
}

function refusal(tag: number): DicomRefusal {
  return new DicomRefusal('DICOM_NOT_DEIDENTIFIED', keywordOf(tag) ?? null);
}
