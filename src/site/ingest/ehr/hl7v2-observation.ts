// An observation of an HL7 v2 message (OBX) as measurements: one for each repetition of its value.
import { codedFactValue, type FactValue, RowRefusal } from '../clinical-record.ts';
import { readNumber } from './field-value.ts';
import {
  type MessageContext,
  orderParts,
  patientParts,
  readCodedElement,
  readFirstTime,
  required,
  type SegmentReading,
} from './hl7v2-context.ts';
import type { FieldReader, Segment } from './hl7v2-message.ts';
import { readSourceUnit } from './unit-spelling.ts';

/** Table 0085. Final, corrected, final without a new value; amended, appended and verified of later versions. */
const takenStatuses = new Set(['F', 'C', 'U', 'A', 'B', 'V']);
/** Deleted, entered for the wrong patient, cannot be obtained. */
const removedStatuses = new Set(['D', 'W', 'X']);
/** Not asked; a description of the order. */
const noResultStatuses = new Set(['N', 'O']);
const codedTypes = new Set(['CE', 'CF', 'CNE', 'CWE']);

/** @throws RowRefusal. */
export function readObservationSegment(segment: Segment, context: MessageContext): SegmentReading {
  const { fields, above } = context;
  const status = fields.text(segment, 11) || fields.text(above.get('OBR'), 25);
  if (noResultStatuses.has(status)) return null;
  const code = readCodedElement(fields, fields.repetitions(segment, 3)[0], { field: 'OBX-3' });
  const panel = fields.text(above.get('OBR'), 4);
  const subId = fields.text(segment, 4);
  const sourceId = [
    'hl7v2',
    'observation',
    ...patientParts(context),
    ...orderParts(context),
    panel,
    code.system,
    code.code,
    subId,
  ];
  if (removedStatuses.has(status)) return { sourceId, facts: null };
  if (!takenStatuses.has(status)) throw new RowRefusal('STATUS_NOT_TAKEN', 'OBX-11');
  const values = readValues(segment, fields);
  const { day, second } = readFirstTime(context, [
    [segment, 14],
    ['OBR', 7],
    ['EVN', 2],
  ]);
  const facts = values.map((value, index) => {
    const part = index === 0 ? 'value' : `value ${index}`;
    return { kind: 'measurement' as const, part, code, value, day, second, endDay: null };
  });
  return { sourceId, facts };
}

function readValues(segment: Segment, fields: FieldReader): FactValue[] {
  const type = fields.text(segment, 2).toUpperCase();
  const values = fields.repetitions(segment, 5);
  if (values.length === 0) throw new RowRefusal('MISSING_FIELD', 'OBX-5');
  if (codedTypes.has(type))
    return values.map((value) => codedFactValue(readCodedElement(fields, value, { field: 'OBX-5' })));
  if (type === 'NM') {
    const unit = readUnitField(segment, fields);
    return values.map((value) => ({ number: readNumber(fields.component(value, 1), 'OBX-5'), unit }));
  }
  if (type === 'SN') return values.map((value) => readStructuredNumeric(value, segment, fields));
  if (type === '') throw new RowRefusal('MISSING_FIELD', 'OBX-2');
  // Texts, documents, times, addresses.
  throw new RowRefusal('UNSUPPORTED_VALUE', 'OBX-2');
}

/** `^5`, `=^5`: a number. `<^5`, `^1^-^2`, `^1^:^128`: none that a model may take for one. */
function readStructuredNumeric(value: string, segment: Segment, fields: FieldReader): FactValue {
  const [comparator, number, separator] = [1, 2, 3].map((part) => fields.component(value, part));
  if (!['', '='].includes(comparator ?? '') || separator !== '')
    throw new RowRefusal('UNSUPPORTED_VALUE', 'OBX-5');
  const text = required(number ?? '', 'OBX-5');
  return { number: readNumber(text, 'OBX-5'), unit: readUnitField(segment, fields) };
}

/** Systems of units that spell what they share with UCUM alike; a unit that is none in UCUM is refused all the same. */
const unitSystems = new Set(['', 'UCUM', 'ISO+', 'ISO']);

/** OBX-6, in UCUM; the micro sign is written u there. */
function readUnitField(segment: Segment, fields: FieldReader): string {
  const field = fields.repetitions(segment, 6)[0];
  const codings = [1, 4].map((at) => [fields.component(field, at), fields.component(field, at + 2)] as const);
  const stated = codings.filter(([unit]) => unit !== '');
  const usable = stated.find(([, system]) => system.toUpperCase() === 'UCUM') ?? stated[0];
  if (usable === undefined) throw new RowRefusal('MISSING_UNIT', 'OBX-6');
  if (!unitSystems.has(usable[1].toUpperCase())) throw new RowRefusal('NO_UCUM_SYSTEM', 'OBX-6.3');
  return readSourceUnit(usable[0].replaceAll(/[\u00b5\u03bc]/g, 'u'), 'OBX-6');
}
