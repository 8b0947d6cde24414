// Why an archive, or a file in it, is refused: a closed set of codes, each with its sentence (security.md X9).

export type ArchiveRefusalCode =
  | 'ARCHIVE_DAMAGED'
  | 'ARCHIVE_ENCRYPTED'
  | 'ARCHIVE_NAME_COLLISION'
  | 'ARCHIVE_NESTED'
  | 'ARCHIVE_RATIO'
  | 'ARCHIVE_SPECIAL_FILE'
  | 'ARCHIVE_TOO_LARGE'
  | 'ARCHIVE_TOO_MANY_FILES'
  | 'ARCHIVE_UNSAFE_NAME';

export const archiveReasonOf: Readonly<Record<ArchiveRefusalCode, string>> = {
  ARCHIVE_DAMAGED: 'The archive is broken, or a file in it does not have the check sum that it should.',
  ARCHIVE_ENCRYPTED: 'The archive is encrypted.',
  ARCHIVE_NAME_COLLISION: 'Two files of the archive have one name, or differ only in case or spelling.',
  ARCHIVE_NESTED: 'The file is an archive in an archive.',
  ARCHIVE_RATIO: 'The archive unpacks to far more than its size.',
  ARCHIVE_SPECIAL_FILE: 'The archive holds a link or device.',
  ARCHIVE_TOO_LARGE: 'The archive unpacks to more than may be taken at once.',
  ARCHIVE_TOO_MANY_FILES: 'The archive holds more files than may be taken at once.',
  ARCHIVE_UNSAFE_NAME: 'A name in the archive leads out of it.',
};

/** Leaves the reading of an archive; caught at its edge and turned into a value. */
export class ArchiveRefusal extends Error {
  readonly code: ArchiveRefusalCode;

  constructor(code: ArchiveRefusalCode) {
    super(code);
    this.name = 'ArchiveRefusal';
    this.code = code;
  }
}
