// The words of the data-quality report in English: what each finding means and what to do about it (docs/data-quality.md).

export interface FindingWords {
  readonly title: string;
  readonly means: string;
  readonly fix: string;
}

export const englishFindings: Readonly<Record<string, FindingWords>> = {
  'code-not-found': {
    title: 'A code that nobody has',
    means: 'The plan reads this code, and no patient with consent has a record of it.',
    fix: 'Check the mapping of the import: the hospital may use another code for the same thing, or the export leaves it out.',
  },
  'code-near-miss': {
    title: 'Almost the code of the plan',
    means:
      'Records carry a code that looks like the plan’s, in another system or another spelling. The plan does not read them.',
    fix: 'If it means the same, map it to the plan’s code and import again.',
  },
  'code-missing-outside': {
    title: 'Left out, and without this code',
    means:
      'Patients with consent are not in this report, because they have no index event, do not meet the criteria or are in no part, and they have no record of this code. For some of them it is why they are left out.',
    fix: 'If they belong to the research study, complete the export. If not, nothing needs to be done.',
  },
  'unit-not-convertible': {
    title: 'A unit that does not convert',
    means: 'Values have no unit, or one that cannot be converted to the plan’s. They are not used.',
    fix: 'State the unit at the source or in the mapping, and import again. Never relabel a value without converting it.',
  },
  'value-missing': {
    title: 'Missing values',
    means:
      'Patients have no usable value in the plan’s window. Depending on the plan they are left out or get a stand-in.',
    fix: 'Look whether the export is complete and whether the day of the value lies in the window.',
  },
  'value-flagged': {
    title: 'Values that the plan calls suspect',
    means:
      'Values are exactly the number that the plan names as suspect, often a 0 that stands for “not measured”.',
    fix: 'Ask whoever wrote the source. If it means “not measured”, leave the value out of the export.',
  },
  'value-negative': {
    title: 'Negative among positive values',
    means:
      'At most one value in twenty is below zero: probably a sign that was mistyped or a code for “missing”.',
    fix: 'Look the values up at the source and correct or remove them there.',
  },
  'value-far-out': {
    title: 'Values far from all others',
    means: 'Values lie further from the median than ten times the median deviation. The range is given.',
    fix: 'Look for a wrong unit or a slipped decimal point. A true extreme value may stay.',
  },
  'column-constant': {
    title: 'The same value for everybody',
    means: 'All present values are equal, so the model can learn nothing from them here.',
    fix: 'Check the mapping: a default may have been written in place of the real value.',
  },
  'age-impossible': {
    title: 'Older than 120 years',
    means: 'The birth date says that patients were older than 120 years on their index day.',
    fix: 'Correct the birth date at the source. 1 January 1900 often stands for “unknown”.',
  },
  'fact-duplicate': {
    title: 'The same record twice',
    means: 'Different records say the same of one patient: same code, time and value. Each counts.',
    fix: 'Look whether two exports overlap, and whether their records have the same identifiers.',
  },
  'fact-before-birth': {
    title: 'Before the birth',
    means: 'Records lie before the patient was born.',
    fix: 'Correct the birth date or the day of the record. Records of the mother may stand with the child.',
  },
  'fact-in-future': {
    title: 'In the future',
    means: 'Records lie after today: planned ones, or with a mistyped year.',
    fix: 'Leave planned records out of the export, and correct the others.',
  },
  'fact-after-death': {
    title: 'After the death',
    means: 'Records lie after the day of a recorded death. Findings of a pathologist may rightly do so.',
    fix: 'Check the day of death, and whether two patients were taken for one.',
  },
  'fact-ends-before-start': {
    title: 'Ends before it begins',
    means: 'The end of records lies before their beginning.',
    fix: 'The two dates are probably swapped: correct them at the source or in the mapping.',
  },
  'image-geometry-missing': {
    title: 'Images without a place',
    means:
      'Images of a series do not all state position and orientation, so that their order in space is unknown.',
    fix: 'Export the original series again, not secondary captures.',
  },
  'image-orientation-mixed': {
    title: 'Several directions in one series',
    means: 'Images of one series lie in different planes, as in a localizer.',
    fix: 'Usually right for localizers; leave them out if the plan wants a volume.',
  },
  'image-size-mixed': {
    title: 'Several sizes in one series',
    means: 'Images of one series have different numbers of rows or columns.',
    fix: 'Look whether two series were put into one.',
  },
  'image-spacing-mixed': {
    title: 'Several pixel spacings in one series',
    means: 'The distance between pixels changes inside a series, by more than a hundredth.',
    fix: 'Look whether two series were put into one, and export the original.',
  },
  'image-slices-missing': {
    title: 'Missing slices',
    means: 'Between slices of a series there is room for another: it was not sent, or not imported.',
    fix: 'Compare with the archive, see whether images are held in quarantine, and import the series again.',
  },
  'image-bits-mixed': {
    title: 'Several intensity ranges in one series',
    means: 'Images of one series store their values with different numbers of bits.',
    fix: 'Export the original series again: some were probably converted.',
  },
  'image-rescale-missing': {
    title: 'No rescaling stated',
    means: 'CT or PET images do not state how their stored values become Hounsfield units or activity.',
    fix: 'Export the original images: the numbers mean something else at each scanner otherwise.',
  },
  'segmentation-missing': {
    title: 'No segmentation',
    means: 'The plan learns from a segmentation, and patients have images that nobody has segmented.',
    fix: 'Import the segmentations (DICOM SEG). They have to name the images they were drawn on.',
  },
};

export const englishPage = {
  title: 'Data quality',
  summary: 'What a research study would read at this hospital, and what to mend first.',
  population: 'Patients with index event, consent and criteria met: {count}.',
  rule: 'A count from 1 to 4 is withheld, and so is one from which such a count could be computed.',
  findings: 'What to fix',
  found: 'Where it was found',
  none: 'Nothing was found.',
  completeness: 'Completeness',
  distributions: 'Distributions',
  distribution: '{name}: patients by value',
  codes: 'Codes and units',
  imaging: 'Images',
  withheld: 'withheld',
  problem: 'problem',
  warning: 'warning',
  note: 'note',
  severity: 'Severity',
  about: 'Where',
  patients: 'Patients',
  records: 'Records',
  detail: 'Detail',
  name: 'Name',
  unit: 'Unit',
  present: 'Present',
  missing: 'Missing',
  unitNotConvertible: 'Unit not convertible',
  flagged: 'Flagged',
  constant: 'Same for all',
  yes: 'yes',
  code: 'Code',
  modality: 'Modality',
  series: 'Series',
  fix: 'What to do: {fix}',
} as const;
export type QualityPageWords = Readonly<Record<keyof typeof englishPage, string>>;
