// One DICOM object made pseudonymous by PS3.15 Annex E at every depth. Pure; pixel data and every value that stays are views.
import { DeidentifyError } from '../deidentify-error.ts';
import type { DataSet, DicomElement, DicomFile, SequenceElement } from './data-set.ts';
import { isSequence } from './data-set.ts';
import { isPrivateTag } from './dictionary.ts';
import { codeItem } from './dummy-value.ts';
import { type RewriteContext, rewriteElement } from './element-rewrite.ts';
import { textElement, textOf } from './element-text.ts';
import { implementationClassUid, implementationVersionName } from './implementation.ts';
import { deriveAge } from './patient-age.ts';
import { cleanPixelData } from './pixel-remains.ts';
import { SafePrivateFilter } from './private-elements.ts';
import { type DicomProfile, defaultDicomProfile, resolveProfile } from './profile.ts';
import type { UidMapper } from './uid-mapper.ts';

export interface DicomDeidentification {
  /** The subject's pseudonym: stands for name and identifiers. ASCII, at most 64 characters. */
  readonly subjectId: string;
  /** Whole days, not 0; the same for everything of this subject. */
  readonly dateOffsetDays: number;
  readonly mapUid: UidMapper;
  /** Default: `defaultDicomProfile`. */
  readonly profile?: DicomProfile;
}

const sopClassUid = 0x00080016;
const sopInstanceUid = 0x00080018;
const patientAge = 0x00101010;
const pixelData = 0x7fe00010;

const optionMeanings: Readonly<Record<string, string>> = {
  113100: 'Basic Application Confidentiality Profile',
  113105: 'Clean Descriptors Option',
  113107: 'Retain Longitudinal Temporal Information Modified Dates Option',
  113108: 'Retain Patient Characteristics Option',
  113109: 'Retain Device Identity Option',
  113111: 'Retain Safe Private Option',
  113112: 'Retain Institution Identity Option',
};

/**
 * The object without what identifies: attributes by Table E.1-1 and the options of `profile`, private and unknown attributes,
 * overlays and curves gone, file meta made anew. Depth is what the parser let through; no recursion.
 * @throws DeidentifyError NO_INSTANCE_UID when the object names no SOP instance: it could not be told from others.
 */
export function deidentifyDicom(file: DicomFile, options: DicomDeidentification): DicomFile {
  const { mapUid, subjectId, dateOffsetDays, profile = defaultDicomProfile } = options;
  const sopClass = textOf(file.dataSet, sopClassUid) || textOf(file.meta, 0x00020002);
  const oldInstance = textOf(file.dataSet, sopInstanceUid) || textOf(file.meta, 0x00020003);
  if (oldInstance === '')
    throw new DeidentifyError('NO_INSTANCE_UID', 'a DICOM object has no SOP Instance UID');
  const context: RewriteContext = {
    rules: resolveProfile(profile.options, sopClass),
    mapUid,
    subjectId,
    offsetDays: profile.options.has('113107') ? dateOffsetDays : null,
  };
  const elements = rewriteDataSet(file.dataSet, context, profile).map((element) =>
    element.tag === pixelData ? cleanPixelData(element, file) : element,
  );
  const instance = textElement(sopInstanceUid, 'UI', mapUid(oldInstance));
  putElements(elements, [instance, ...statements(file, elements, profile)]);
  return {
    meta: fileMeta(sopClass, mapUid(oldInstance), file.transferSyntaxUid),
    dataSet: { elements },
    transferSyntaxUid: file.transferSyntaxUid,
    isLittleEndian: file.isLittleEndian,
    notes: [],
  };
}

interface Frame {
  readonly elements: readonly DicomElement[];
  next: number;
  readonly kept: DicomElement[];
  readonly safePrivate: SafePrivateFilter | null;
  readonly parent: OpenSequence | null;
}

interface OpenSequence {
  readonly source: SequenceElement;
  nextItem: number;
  readonly items: DataSet[];
  readonly frame: Frame;
}

function rewriteDataSet(dataSet: DataSet, context: RewriteContext, profile: DicomProfile): DicomElement[] {
  const open = (source: DataSet, parent: OpenSequence | null): Frame => ({
    elements: source.elements,
    next: 0,
    kept: [],
    safePrivate: profile.safePrivate.length === 0 ? null : new SafePrivateFilter(source, profile.safePrivate),
    parent,
  });
  const top = open(dataSet, null);
  let frame = top;
  for (;;) {
    const element = frame.elements[frame.next];
    if (element === undefined) {
      const { parent } = frame;
      if (parent === null) return top.kept;
      parent.items.push({ elements: frame.kept });
      frame = continueSequence(parent, open);
      continue;
    }
    frame.next += 1;
    // A small picture of the image, which nobody has looked at for text.
    if (element.tag === pixelData && frame.parent !== null) continue;
    const rewritten = isPrivateTag(element.tag)
      ? (frame.safePrivate?.rewrite(element) ?? null)
      : rewriteElement(element, context);
    if (rewritten === 'inside' && isSequence(element))
      frame = continueSequence({ source: element, nextItem: 0, items: [], frame }, open);
    else if (rewritten !== null && rewritten !== 'inside') frame.kept.push(rewritten);
  }
}

/** The frame of the next item, or, after the last, the frame that the sequence stands in. */
function continueSequence(
  sequence: OpenSequence,
  open: (source: DataSet, parent: OpenSequence) => Frame,
): Frame {
  const item = sequence.source.items[sequence.nextItem];
  sequence.nextItem += 1;
  if (item !== undefined) return open(item, sequence);
  sequence.frame.kept.push({ tag: sequence.source.tag, vr: 'SQ', items: sequence.items });
  return sequence.frame;
}

/** What a de-identified object says about itself (PS3.15 E.1.1), and the age where only the birth date told it. */
function statements(file: DicomFile, kept: readonly DicomElement[], profile: DicomProfile): DicomElement[] {
  const codes = ['113100', ...profile.options, ...(profile.safePrivate.length > 0 ? ['113111'] : [])].sort();
  const items = codes.map((value) =>
    codeItem({ value, scheme: 'DCM', meaning: optionMeanings[value] ?? value }),
  );
  const stated: DicomElement[] = [
    textElement(0x00120062, 'CS', 'YES'),
    textElement(0x00120063, 'LO', 'PS3.15 2024e Table E.1-1 by Consilium'),
    { tag: 0x00120064, vr: 'SQ', items },
    textElement(0x00280303, 'CS', profile.options.has('113107') ? 'MODIFIED' : 'REMOVED'),
  ];
  if (!profile.options.has('113108') || kept.some(({ tag }) => tag === patientAge)) return stated;
  const age = deriveAge(file.dataSet);
  return age === undefined ? stated : [...stated, textElement(patientAge, 'AS', age)];
}

/** Sets elements in place, keeping the order of tags. */
function putElements(elements: DicomElement[], added: readonly DicomElement[]): void {
  for (const element of added) {
    let at = elements.length;
    while (at > 0 && (elements[at - 1]?.tag ?? 0) > element.tag) at -= 1;
    const isThere = elements[at - 1]?.tag === element.tag;
    elements.splice(isThere ? at - 1 : at, isThere ? 1 : 0, element);
  }
}

function fileMeta(sopClass: string, instanceUid: string, transferSyntaxUid: string): DataSet {
  return {
    elements: [
      { tag: 0x00020001, vr: 'OB', bytes: Uint8Array.of(0, 1) },
      textElement(0x00020002, 'UI', sopClass),
      textElement(0x00020003, 'UI', instanceUid),
      textElement(0x00020010, 'UI', transferSyntaxUid),
      textElement(0x00020012, 'UI', implementationClassUid),
      textElement(0x00020013, 'SH', implementationVersionName),
    ],
  };
}
