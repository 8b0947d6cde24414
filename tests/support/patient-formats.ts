// The same patients as FHIR bundle, NDJSON, C-CDA, HL7 v2, OMOP CDM and CSV. Units and offsets differ from format to format.
import { ndjson } from '#support/fhir-resources.ts';
import {
  answered,
  answers,
  asHl7Time,
  atOffset,
  events,
  hospitalTime,
  measured,
  patientAuthority,
  type SamePatient,
  systems,
} from './same-patients.ts';

export type FileSet = Readonly<Record<string, string>>;

interface FormatFiles {
  readonly files: FileSet;
  readonly mapping: string | null;
}

/** How sources name the one authority of patient numbers. */
export const authorities: ReadonlyMap<string, string> = new Map([
  ['urn:oid:1.2.276.0.76.3.1.999', patientAuthority],
  ['urn:consilium:hl7v2:authority:WARD', patientAuthority],
  ['urn:consilium:omop:person_source_value', patientAuthority],
]);

const coding = (system: string, code: string) => ({ coding: [{ system, code }] });

function fhirResources(
  patient: SamePatient,
  { hours, isOther }: { hours: number; isOther: boolean },
): object[] {
  const subject = { reference: `Patient/p${patient.number}` };
  const observation = (code: string, value: object) => ({
    resourceType: 'Observation',
    id: `o${patient.number}-${code}`,
    status: 'final',
    code: coding(systems.loinc, code),
    subject,
    effectiveDateTime: atOffset(patient.atMs, hours),
    ...value,
  });
  const quantity = ({ name, unit, otherUnit, inOther }: (typeof measured)[number]) => ({
    value: isOther ? Number(inOther(patient.values[name])) : patient.values[name],
    system: 'http://unitsofmeasure.org',
    code: isOther ? otherUnit : unit,
  });
  const [from, until] = patient.visit;
  const { condition, encounter, medication, procedure } = events;
  return [
    {
      resourceType: 'Patient',
      id: `p${patient.number}`,
      identifier: [{ system: patientAuthority, value: patient.number }],
      name: [{ family: patient.family, given: [patient.given] }],
      gender: patient.sex,
      birthDate: patient.born,
    },
    {
      resourceType: 'Encounter',
      id: `e${patient.number}`,
      status: 'finished',
      class: encounter,
      subject,
      period: { start: from, end: until },
    },
    {
      resourceType: 'Condition',
      id: `c${patient.number}`,
      code: coding(condition.system, condition.code),
      subject,
      onsetDateTime: patient.onset,
    },
    {
      resourceType: 'Procedure',
      id: `r${patient.number}`,
      status: 'completed',
      code: coding(procedure.system, procedure.code),
      subject,
      performedDateTime: patient.operated,
    },
    {
      resourceType: 'MedicationStatement',
      id: `m${patient.number}`,
      status: 'completed',
      medicationCodeableConcept: coding(medication.system, medication.code),
      subject,
      effectivePeriod: { start: patient.drug[0], end: patient.drug[1] },
    },
    ...measured.map((each) => observation(each.code, { valueQuantity: quantity(each) })),
    observation(answered.split, { valueCodeableConcept: coding(systems.snomed, answers[patient.split]) }),
    observation(answered.pain, { valueCodeableConcept: coding(systems.snomed, patient.pain) }),
    observation(
      answered.angina,
      isOther
        ? { valueCodeableConcept: coding(systems.loinc, patient.angina ? 'LA33-6' : 'LA32-8') }
        : { valueBoolean: patient.angina },
    ),
  ];
}

function asBundles(patients: readonly SamePatient[]): FileSet {
  const bundle = (patient: SamePatient) => ({
    resourceType: 'Bundle',
    type: 'collection',
    entry: fhirResources(patient, { hours: 0, isOther: false }).map((resource) => ({ resource })),
  });
  return Object.fromEntries(
    patients.map((patient) => [`${patient.number}.json`, JSON.stringify(bundle(patient))]),
  );
}

function asNdjson(patients: readonly SamePatient[]): FileSet {
  const resources = patients.flatMap((patient) => fhirResources(patient, { hours: -5, isOther: true }));
  return { 'export.ndjson': ndjson(...resources) };
}

function asCcda(patients: readonly SamePatient[]): FileSet {
  return Object.fromEntries(patients.map((patient) => [`${patient.number}.xml`, clinicalDocument(patient)]));
}

function clinicalDocument(patient: SamePatient): string {
  const oid = {
    loinc: '2.16.840.1.113883.6.1',
    snomed: '2.16.840.1.113883.6.96',
    rxNorm: '2.16.840.1.113883.6.88',
    act: '2.16.840.1.113883.5.4',
  };
  const section = (number: string, entries: string): string =>
    `<component><section><templateId root="2.16.840.1.113883.10.20.22.2.${number}"/><text/>${entries}</section></component>`;
  const days = ([from, until]: readonly [string, string | null]): string =>
    `<effectiveTime xsi:type="IVL_TS"><low value="${asHl7Time(from)}"/>${until === null ? '' : `<high value="${asHl7Time(until)}"/>`}</effectiveTime>`;
  const observation = (code: string, value: string): string =>
    `<component><observation classCode="OBS" moodCode="EVN"><id root="1.2.3.5" extension="${code}"/><code code="${code}" codeSystem="${oid.loinc}"/><statusCode code="completed"/><effectiveTime value="${asHl7Time(atOffset(patient.atMs, 9))}"/>${value}</observation></component>`;
  const coded = (system: string, code: string): string =>
    `<value xsi:type="CD" code="${code}" codeSystem="${system}"/>`;
  const results = [
    ...measured.map(({ name, code, otherUnit, inOther }) =>
      observation(
        code,
        `<value xsi:type="PQ" value="${inOther(patient.values[name])}" unit="${otherUnit}"/>`,
      ),
    ),
    observation(answered.split, coded(oid.snomed, answers[patient.split])),
    observation(answered.pain, coded(oid.snomed, patient.pain)),
    observation(answered.angina, `<value xsi:type="BL" value="${patient.angina}"/>`),
  ].join('');
  const body = [
    section(
      '22.1',
      `<entry><encounter classCode="ENC" moodCode="EVN"><code code="${events.encounter.code}" codeSystem="${oid.act}"/>${days(patient.visit)}</encounter></entry>`,
    ),
    section(
      '5.1',
      `<entry><act classCode="ACT" moodCode="EVN"><statusCode code="active"/><entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN"><statusCode code="completed"/>${days([patient.onset, null])}<value xsi:type="CD" nullFlavor="OTH"><translation code="I10" codeSystem="2.16.840.1.113883.6.90"/><translation code="${events.condition.code}" codeSystem="${oid.snomed}"/></value></observation></entryRelationship></act></entry>`,
    ),
    section(
      '7.1',
      `<entry><procedure classCode="PROC" moodCode="EVN"><code code="${events.procedure.code}" codeSystem="${oid.snomed}"/><statusCode code="completed"/><effectiveTime value="${asHl7Time(patient.operated)}"/></procedure></entry>`,
    ),
    section(
      '1.1',
      `<entry><substanceAdministration classCode="SBADM" moodCode="EVN"><statusCode code="completed"/>${days(patient.drug)}<consumable><manufacturedProduct><manufacturedMaterial><code code="${events.medication.code}" codeSystem="${oid.rxNorm}"/></manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration></entry>`,
    ),
    section(
      '3.1',
      `<entry><organizer classCode="BATTERY" moodCode="EVN"><statusCode code="completed"/>${results}</organizer></entry>`,
    ),
  ].join('');
  return `<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="1.2.3.6" extension="${patient.number}"/><recordTarget><patientRole><id root="1.2.276.0.76.3.1.999" extension="${patient.number}"/><patient><name><given>${patient.given}</given><family>${patient.family}</family></name><administrativeGenderCode code="${patient.sex === 'male' ? 'M' : 'F'}"/><birthTime value="${asHl7Time(patient.born)}"/></patient></patientRole></recordTarget><component><structuredBody>${body}</structuredBody></component></ClinicalDocument>`;
}

function asHl7v2(patients: readonly SamePatient[]): FileSet {
  return { 'messages.hl7': patients.flatMap(messagesOf).join('') };
}

function messagesOf(patient: SamePatient, index: number): string[] {
  // Some interfaces state their offset, some write the hospital's time.
  const at = asHl7Time(index % 2 === 0 ? hospitalTime(patient.atMs) : atOffset(patient.atMs, -8));
  const header = (type: string): string =>
    `MSH|^~\\&|SYS|HOSP|SITE|SITE|20260101||${type}|${type}-${patient.number}|P|2.5.1||||||UNICODE UTF-8`;
  const pid = `PID|1||${patient.number}^^^WARD^MR||${patient.family}^${patient.given}||${asHl7Time(patient.born)}|${patient.sex === 'male' ? 'M' : 'F'}`;
  const [from, until] = patient.visit.map(asHl7Time);
  const obx = (code: string, [type, value, unit]: readonly [string, string, string]): string =>
    `OBX|1|${type}|${code}^^LN||${value}|${unit}|||||F`;
  const admission = [
    header('ADT^A08'),
    pid,
    `PV1|1|O${'|'.repeat(17)}V${patient.number}${'|'.repeat(25)}${from}|${until}`,
    `DG1|1||I10^Hypertension^I10C^${events.condition.code}^^SCT||${asHl7Time(patient.onset)}|F`,
    `PR1|1||${events.procedure.code}^^SCT||${asHl7Time(patient.operated)}`,
  ];
  const results = [
    header('ORU^R01'),
    pid,
    `OBR|1||F${patient.number}|PANEL^^L|||${at}`,
    ...measured.map(({ name, code, unit }) => obx(code, ['NM', String(patient.values[name]), unit])),
    obx(answered.split, ['CWE', `${answers[patient.split]}^^SCT`, '']),
    obx(answered.pain, ['CE', `${patient.pain}^^SCT`, '']),
    obx(answered.angina, ['CWE', `${patient.angina ? 'LA33-6' : 'LA32-8'}^^LN`, '']),
  ];
  const order = [
    header('RDE^O11'),
    pid,
    `ORC|NW||D${patient.number}`,
    `TQ1|1||||||${patient.drug.map(asHl7Time).join('|')}`,
    `RXE||${events.medication.code}^^RXNORM`,
  ];
  return [admission, results, order].map((segments) => `${segments.join('\r')}\r`);
}

function asOmop(patients: readonly SamePatient[]): FileSet {
  const conceptIds = new Map<string, number>();
  const concepts: string[] = [];
  const concept = (vocabulary: string, code: string): number => {
    const name = `${vocabulary},${code}`;
    const known = conceptIds.get(name);
    if (known !== undefined) return known;
    const id = 1_000 + conceptIds.size;
    conceptIds.set(name, id);
    concepts.push(`${id},${vocabulary},${code}`);
    return id;
  };
  const table = (header: string, rows: readonly (readonly (string | number)[])[]): string =>
    `${[header, ...rows.map((row) => row.join(','))].join('\n')}\n`;
  const everyone = patients.map((patient, index) => ({ patient, id: index + 1 }));
  const valueRows = everyone.flatMap(({ patient, id }) => {
    const at = hospitalTime(patient.atMs);
    const when = [at.slice(0, 10), at];
    const row = (code: string, [number, unit, answer]: readonly (string | number)[]) => [
      `${id}${concept('LOINC', code)}`,
      id,
      concept('LOINC', code),
      ...when,
      number ?? '',
      answer ?? '',
      unit ?? '',
    ];
    return [
      ...measured.map(({ name, code, unit }) => row(code, [patient.values[name], concept('UCUM', unit), ''])),
      row(answered.split, ['', '', concept('SNOMED', answers[patient.split])]),
      row(answered.pain, ['', '', concept('SNOMED', patient.pain)]),
      row(answered.angina, ['', '', concept('LOINC', patient.angina ? 'LA33-6' : 'LA32-8')]),
    ];
  });
  const files = {
    'person.csv': table(
      'person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,person_source_value',
      everyone.map(({ patient, id }) => [
        id,
        patient.sex === 'male' ? 8507 : 8532,
        ...patient.born.split('-').map(Number),
        patient.number,
      ]),
    ),
    'visit_occurrence.csv': table(
      'visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date',
      everyone.map(({ patient, id }) => [id, id, 9202, ...patient.visit]),
    ),
    'condition_occurrence.csv': table(
      'condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_end_date',
      everyone.map(({ patient, id }) => [
        id,
        id,
        concept('SNOMED', events.condition.code),
        patient.onset,
        '',
      ]),
    ),
    'drug_exposure.csv': table(
      'drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date',
      everyone.map(({ patient, id }) => [id, id, concept('RxNorm', events.medication.code), ...patient.drug]),
    ),
    'procedure_occurrence.csv': table(
      'procedure_occurrence_id,person_id,procedure_concept_id,procedure_date',
      everyone.map(({ patient, id }) => [id, id, concept('SNOMED', events.procedure.code), patient.operated]),
    ),
    'measurement.csv': table(
      'measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,value_as_number,value_as_concept_id,unit_concept_id',
      valueRows,
    ),
  };
  return {
    'concept.csv': table(
      'concept_id,vocabulary_id,concept_code',
      concepts.map((line) => line.split(',')),
    ),
    ...files,
  };
}

function asCsv(patients: readonly SamePatient[]): FormatFiles {
  const columns = [
    'number',
    'name',
    'born',
    'sex',
    'at',
    'onset',
    'operated',
    'drug_from',
    'drug_until',
    'in',
    'out',
    ...measured.map(({ name }) => name),
    'split',
    'pain',
    'angina',
  ];
  const rows = patients.map((patient) => [
    patient.number,
    `${patient.given} ${patient.family}`,
    patient.born,
    patient.sex,
    hospitalTime(patient.atMs),
    patient.onset,
    patient.operated,
    ...patient.drug,
    ...patient.visit,
    ...measured.map(({ name, inOther }) => inOther(patient.values[name])),
    patient.split,
    patient.pain,
    patient.angina ? 'yes' : 'no',
  ]);
  const question = (code: string) => ({ system: systems.loinc, code });
  const event = (as: keyof typeof events, column: string, end: string | null) => ({
    kind: 'event',
    as,
    column,
    end,
    code: events[as],
  });
  const painCodes = [...new Set(patients.map(({ pain }) => pain))];
  const mapping = {
    consilium: 'csv-mapping/1',
    patient: {
      identifier: 'number',
      authority: patientAuthority,
      name: 'name',
      birthDate: 'born',
      sex: { column: 'sex', values: { male: 'male', female: 'female' } },
    },
    indexDate: 'at',
    record: null,
    missing: [],
    facts: [
      ...measured.map(({ name, code, otherUnit }) => ({
        kind: 'quantity',
        column: name,
        code: question(code),
        unit: otherUnit,
      })),
      {
        kind: 'coded',
        column: 'split',
        code: question(answered.split),
        values: Object.fromEntries(
          Object.entries(answers).map(([name, code]) => [name, { system: systems.snomed, code }]),
        ),
      },
      {
        kind: 'coded',
        column: 'pain',
        code: question(answered.pain),
        values: Object.fromEntries(painCodes.map((code) => [code, { system: systems.snomed, code }])),
      },
      {
        kind: 'boolean',
        column: 'angina',
        code: question(answered.angina),
        values: { yes: true, no: false },
      },
      event('condition', 'onset', null),
      event('procedure', 'operated', null),
      event('medication', 'drug_from', 'drug_until'),
      event('encounter', 'in', 'out'),
    ],
    consent: null,
  };
  return {
    files: { 'patients.csv': `${[columns, ...rows].map((row) => row.join(',')).join('\n')}\n` },
    mapping: JSON.stringify(mapping),
  };
}

const unmapped =
  (write: (patients: readonly SamePatient[]) => FileSet) =>
  (patients: readonly SamePatient[]): FormatFiles => ({ files: write(patients), mapping: null });

export const formats: Readonly<Record<string, (patients: readonly SamePatient[]) => FormatFiles>> = {
  'FHIR bundles': unmapped(asBundles),
  'FHIR NDJSON': unmapped(asNdjson),
  'C-CDA': unmapped(asCcda),
  'HL7 v2': unmapped(asHl7v2),
  'OMOP CDM': unmapped(asOmop),
  CSV: asCsv,
};
