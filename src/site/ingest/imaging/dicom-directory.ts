// A DICOMDIR (PS3.10 8, PS3.3 F): which files of its folder it names. The files themselves are imported as files.
import type { Attributes } from '../dicom/attributes.ts';

const directoryRecordSequence = 0x00041220;
const referencedFileId = 0x00041500;

/**
 * Path of each named file below the directory's folder, in parts; null where a record names what is no such path.
 * Attack: a directory whose records lead out of its folder, by `..`, an absolute path or a drive.
 */
export function readDirectory(attributes: Attributes): (readonly string[] | null)[] {
  return attributes
    .items(directoryRecordSequence)
    .map((record) => record.texts(referencedFileId))
    .filter((parts) => parts.length > 0)
    .map((parts) => (parts.length <= 32 && parts.every(isPlainName) ? parts : null));
}

function isPlainName(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..' && !/[/\\:\0]/.test(part);
}
