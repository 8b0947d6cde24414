// What an ADT message says of a visit: the encounter (PV1), its diagnoses (DG1) and procedures (PR1).
import { type CodedValue, RowRefusal } from '../clinical-record.ts';
import { encounterClassSystem } from './code-system.ts';
import { readCode } from './field-value.ts';
import { readHl7Time } from './hl7-time.ts';
import {
  type MessageContext,
  patientParts,
  readCodedElement,
  readFirstTime,
  required,
  type SegmentReading,
  visitParts,
} from './hl7v2-context.ts';
import type { Segment } from './hl7v2-message.ts';

/** Patient class (table 0004) as FHIR's Encounter.class has it, where both say the same. */
const actCodes = new Map([
  ['E', 'EMER'],
  ['I', 'IMP'],
  ['O', 'AMB'],
]);
/** Pre-admitted: planned. Not applicable and unknown: there is no visit. */
const noVisitClasses = new Set(['P', 'N', 'U']);
/** Events that take the visit back: cancelled admission, deleted visit. */
const removedTriggers = new Set(['A11', 'A23']);
/** Events that tell when the visit began where the visit itself does not. */
const admittingTriggers = new Set(['A01', 'A04']);

/** @throws RowRefusal. */
export function readVisitSegment(segment: Segment, context: MessageContext): SegmentReading {
  const { fields, header, zone } = context;
  const sourceId = ['hl7v2', 'encounter', ...patientParts(context), ...visitParts(context)];
  if (removedTriggers.has(header.trigger)) return { sourceId, facts: null };
  const patientClass = required(fields.text(segment, 2), 'PV1-2');
  if (noVisitClasses.has(patientClass)) return null;
  const fallback = admittingTriggers.has(header.trigger)
    ? ([
        ['EVN', 6],
        ['EVN', 2],
      ] as const)
    : [];
  const { day, second } = readFirstTime(context, [[segment, 44], ...fallback]);
  // A cancelled discharge: the visit goes on.
  const discharge = header.trigger === 'A13' ? '' : fields.text(segment, 45);
  const stated = discharge === '' ? null : readHl7Time(discharge, 'PV1-45', zone).day;
  const endDay = stated !== null && stated < day ? null : stated;
  const code = classCode(patientClass);
  return { sourceId, facts: [{ kind: 'encounter', part: 'value', code, value: null, day, second, endDay }] };
}

function classCode(patientClass: string): CodedValue {
  const known = actCodes.get(patientClass);
  if (known !== undefined) return { system: encounterClassSystem, code: known };
  return { system: 'http://terminology.hl7.org/CodeSystem/v2-0004', code: readCode(patientClass, 'PV1-2') };
}

/** @throws RowRefusal. */
export function readDiagnosisSegment(segment: Segment, context: MessageContext): SegmentReading {
  const { fields } = context;
  const code = readCodedElement(fields, fields.repetitions(segment, 3)[0], {
    field: 'DG1-3',
    kind: 'condition',
  });
  const own = fields.text(segment, 20);
  const sourceId = [
    'hl7v2',
    'diagnosis',
    ...patientParts(context),
    ...visitParts(context),
    own,
    code.system,
    code.code,
  ];
  if (fields.text(segment, 21) === 'D') return { sourceId, facts: null };
  // A working diagnosis may turn out to be none.
  if (fields.text(segment, 6) === 'W') throw new RowRefusal('STATUS_NOT_TAKEN', 'DG1-6');
  const { day, second } = readFirstTime(context, [
    [segment, 5],
    ['PV1', 44],
    [segment, 19],
  ]);
  return {
    sourceId,
    facts: [{ kind: 'condition', part: 'value', code, value: null, day, second, endDay: null }],
  };
}

/** @throws RowRefusal. */
export function readProcedureSegment(segment: Segment, context: MessageContext): SegmentReading {
  const { fields } = context;
  const code = readCodedElement(fields, fields.repetitions(segment, 3)[0], {
    field: 'PR1-3',
    kind: 'procedure',
  });
  const { day, second } = readFirstTime(context, [[segment, 5]]);
  const own = fields.text(segment, 19) || `${day} ${second ?? ''}`;
  const sourceId = [
    'hl7v2',
    'procedure',
    ...patientParts(context),
    ...visitParts(context),
    own,
    code.system,
    code.code,
  ];
  if (fields.text(segment, 20) === 'D') return { sourceId, facts: null };
  return {
    sourceId,
    facts: [{ kind: 'procedure', part: 'value', code, value: null, day, second, endDay: null }],
  };
}
