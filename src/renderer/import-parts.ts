// The parts of the Import screen, by the word that stands for them in its address.
export const importParts = ['files', 'quarantine', 'sources'] as const;
export type ImportPart = (typeof importParts)[number];
