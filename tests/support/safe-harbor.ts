// One patient with an identifier of every kind of HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)(A) to (R), written in every format that a
// site takes; and the places in each format where hospitals put them.

/** Letter -> what the rule names, and what is planted for it. */
export const identifiers = {
  A: { names: 'names', planted: ['Quillfeather', 'Zephyrine'] },
  B: { names: 'geography below a state', planted: ['12 Wisteria Lane', 'Marblehead', '03601'] },
  C: {
    names: 'dates but years, ages above 89',
    planted: ['1931-07-23', '19310723', '2022-03-14', '20220314'],
  },
  D: { names: 'telephone numbers', planted: ['555-0147-331'] },
  E: { names: 'fax numbers', planted: ['555-0199-772'] },
  F: { names: 'e-mail addresses', planted: ['zeph@quill.example'] },
  G: { names: 'social security numbers', planted: ['078-05-1120'] },
  H: { names: 'medical record numbers', planted: ['MRN-77319426'] },
  I: { names: 'health plan numbers', planted: ['HPN-4471-889'] },
  J: { names: 'account numbers', planted: ['ACCT-99-18-27'] },
  K: { names: 'certificate and licence numbers', planted: ['DL-QX-55190'] },
  L: { names: 'vehicle identifiers', planted: ['1HGCM82633A004352'] },
  M: { names: 'device identifiers', planted: ['SN-DEV-773-AX'] },
  N: { names: 'URLs', planted: ['https://quill.example/zeph'] },
  O: { names: 'IP addresses', planted: ['203.0.113.77'] },
  P: { names: 'biometric identifiers', planted: ['FINGERPRINT-A1B2C3'] },
  Q: { names: 'photographs', planted: ['iVBORw0KGgoPHOTOQ'] },
  R: { names: 'any other unique code', planted: ['TRIAL-77-QX'] },
} as const;
export type Letter = keyof typeof identifiers;

/** The day on which the patient, then 90 years old, was measured. */
export const measuredOn = '2022-03-14';
export const systolic = '8480-6';

export interface PlantedFormat {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly mapping: string | null;
}

const first = (letter: Letter): string => identifiers[letter].planted[0];
const everything = Object.values(identifiers)
  .flatMap(({ planted }) => planted)
  .join(' ');
const [family, given] = identifiers.A.planted;
const [street, city, zip] = identifiers.B.planted;

function fhir(): PlantedFormat {
  const system = (name: string) => `https://hospital.example/${name}`;
  const identifier = (letter: Letter, name: string) => ({ system: system(name), value: first(letter) });
  const patient = {
    resourceType: 'Patient',
    id: first('R'),
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${everything}</div>` },
    identifier: [
      {
        ...identifier('H', 'mrn'),
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
      },
      { system: 'http://hl7.org/fhir/sid/us-ssn', value: first('G') },
      identifier('I', 'plan'),
      identifier('J', 'account'),
      identifier('K', 'licence'),
      identifier('L', 'vehicle'),
      identifier('P', 'biometric'),
    ],
    name: [{ family, given: [given] }],
    gender: 'female',
    birthDate: '1931-07-23',
    address: [{ line: [street], city, postalCode: zip, state: 'MA' }],
    telecom: [
      { system: 'phone', value: first('D') },
      { system: 'fax', value: first('E') },
      { system: 'email', value: first('F') },
      { system: 'url', value: first('N') },
    ],
    photo: [{ contentType: 'image/png', data: first('Q') }],
    contact: [{ name: { text: everything } }],
    extension: [{ url: 'https://hospital.example/ip', valueString: first('O') }],
  };
  const observation = {
    resourceType: 'Observation',
    id: `${first('R')}-1`,
    status: 'final',
    identifier: [identifier('R', 'trial')],
    code: { coding: [{ system: 'http://loinc.org', code: systolic, display: everything }], text: everything },
    subject: { reference: `Patient/${first('R')}`, display: `${given} ${family}` },
    device: { display: first('M') },
    performer: [{ display: everything }],
    note: [{ text: everything }],
    effectiveDateTime: measuredOn,
    valueQuantity: { value: 141, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
  };
  const bundle = {
    resourceType: 'Bundle',
    type: 'collection',
    entry: [{ resource: patient }, { resource: observation }],
  };
  return { name: 'FHIR', files: { 'bundle.json': JSON.stringify(bundle) }, mapping: null };
}

function csv(): PlantedFormat {
  const columns: Readonly<Record<string, string>> = {
    mrn: first('H'),
    family,
    given,
    born: '1931-07-23',
    sex: 'F',
    measured: measuredOn,
    systolic: '141',
    street,
    city,
    zip,
    phone: first('D'),
    fax: first('E'),
    email: first('F'),
    ssn: first('G'),
    plan: first('I'),
    account: first('J'),
    licence: first('K'),
    vehicle: first('L'),
    device: first('M'),
    url: first('N'),
    ip: first('O'),
    biometric: first('P'),
    photo: first('Q'),
    trial: first('R'),
    remarks: everything,
  };
  const mapping = {
    consilium: 'csv-mapping/1',
    columns: [],
    patient: {
      identifier: 'mrn',
      authority: 'https://hospital.example/mrn',
      name: ['given', 'family'],
      birthDate: 'born',
      sex: { column: 'sex', values: { F: 'female', M: 'male' } },
    },
    indexDate: 'measured',
    record: null,
    missing: [],
    skip: null,
    facts: [
      {
        kind: 'quantity',
        column: 'systolic',
        code: { system: 'http://loinc.org', code: systolic },
        unit: 'mm[Hg]',
      },
    ],
    consent: null,
  };
  const rows = [Object.keys(columns).join(','), Object.values(columns).join(',')];
  return { name: 'CSV', files: { 'table.csv': `${rows.join('\n')}\n` }, mapping: JSON.stringify(mapping) };
}

function omop(): PlantedFormat {
  const concept = [
    'concept_id,concept_name,domain_id,vocabulary_id,concept_code',
    `1,${everything},Measurement,LOINC,${systolic}`,
    '2,mmHg,Unit,UCUM,mm[Hg]',
    '8532,FEMALE,Gender,Gender,F',
  ];
  const person = [
    'person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,person_source_value,gender_source_value,location_id,race_source_value',
    `7731942,8532,1931,7,23,${first('H')},${family},${zip},${everything}`,
  ];
  const measurement = [
    'measurement_id,person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,value_as_concept_id,unit_concept_id,measurement_source_value,value_source_value',
    `1,7731942,1,${measuredOn},,141,,2,${everything},${everything}`,
  ];
  const note = [
    'note_id,person_id,note_date,note_datetime,note_type_concept_id,note_class_concept_id,note_title,note_text,encoding_concept_id,language_concept_id,provider_id,visit_occurrence_id,visit_detail_id,note_source_value',
    `1,7731942,${measuredOn},,0,0,${everything},${everything},0,0,,,,${everything}`,
  ];
  const location = ['location_id,address_1,city,zip', `1,${street},${city},${zip}`];
  const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;
  return {
    name: 'OMOP',
    files: {
      'CONCEPT.csv': text(concept),
      'person.csv': text(person),
      'measurement.csv': text(measurement),
      'note.csv': text(note),
      'location.csv': text(location),
    },
    mapping: null,
  };
}

function hl7v2(): PlantedFormat {
  const numbers = [
    `${first('H')}^^^HOSP&1.2.3.4&ISO^MR`,
    `${first('G')}^^^SSA^SS`,
    `${first('I')}^^^PLAN^HC`,
    `${first('K')}^^^DMV^DL`,
    `${first('P')}^^^LAB^BI`,
  ].join('~');
  const pid = [
    'PID',
    '1',
    '',
    numbers,
    first('R'),
    `${family}^${given}^^^^^L`,
    '',
    '19310723',
    'F',
    '',
    '',
    `${street}^^${city}^MA^${zip}`,
    '',
    `${first('D')}~^NET^Internet^${first('F')}~${first('E')}^PRN^FX`,
    '',
    '',
    '',
    '',
    first('J'),
    first('G'),
    first('K'),
  ].join('|');
  const obx = [
    'OBX',
    '1',
    'NM',
    `${systolic}^${everything}^LN`,
    '',
    '141',
    'mm[Hg]',
    '',
    '',
    '',
    '',
    'F',
    '',
    '',
    '20220314',
    first('O'),
    first('N'),
  ];
  const message = [
    'MSH|^~\\&|LAB|HOSP|SITE|SITE|20220314101500||ORU^R01|TRIAL-77-QX-9|P|2.5.1',
    pid,
    `OBR|1|${first('R')}^CPOE|${first('M')}^LAB|24321-2^${everything}^LN|||20220314101500`,
    obx.join('|'),
    `NTE|1||${everything} ${first('L')} ${first('Q')}`,
  ].join('\r');
  return { name: 'HL7 v2', files: { 'message.hl7': `${message}\r` }, mapping: null };
}

function ccda(): PlantedFormat {
  const loinc = '2.16.840.1.113883.6.1';
  const id = (root: string, letter: Letter) => `<id root="${root}" extension="${first(letter)}"/>`;
  const telecom = (value: string) => `<telecom value="${value}"/>`;
  const header = `<recordTarget><patientRole>${id('1.2.3.4', 'H')}${id('2.16.840.1.113883.4.1', 'G')}${id('1.2.3.5', 'I')}${id('1.2.3.6', 'J')}${id('1.2.3.7', 'K')}${id('1.2.3.8', 'L')}${id('1.2.3.9', 'P')}
<addr><streetAddressLine>${street}</streetAddressLine><city>${city}</city><postalCode>${zip}</postalCode></addr>
${[`tel:${first('D')}`, `fax:${first('E')}`, `mailto:${first('F')}`, first('N')].map(telecom).join('')}
<patient><name use="L"><given>${given}</given><family>${family}</family></name><administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="19310723"/></patient></patientRole></recordTarget>
<author><assignedAuthor><id root="9.8" extension="${first('M')}"/><assignedAuthoringDevice><softwareName>${first('O')} ${first('Q')}</softwareName></assignedAuthoringDevice></assignedAuthor></author>`;
  const result = `<observation classCode="OBS" moodCode="EVN"><id root="9.2" extension="${first('R')}"/><code code="${systolic}" codeSystem="${loinc}" displayName="${everything}"><originalText>${everything}</originalText></code>
<statusCode code="completed"/><effectiveTime value="20220314"/><value xsi:type="PQ" value="141" unit="mm[Hg]"/></observation>`;
  const text = `<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<id root="9.9" extension="${first('R')}"/><title>${everything}</title>${header}<component><structuredBody><component><section><templateId root="2.16.840.1.113883.10.20.22.2.3"/><text>${everything}</text>
<entry><organizer classCode="BATTERY" moodCode="EVN"><statusCode code="completed"/><component>${result}</component></organizer></entry></section></component></structuredBody></component></ClinicalDocument>`;
  return { name: 'C-CDA', files: { 'document.xml': text }, mapping: null };
}

/** Every format that a site takes. A new one is a further line here. */
export const plantedFormats: readonly PlantedFormat[] = [fhir(), csv(), omop(), hl7v2(), ccda()];
