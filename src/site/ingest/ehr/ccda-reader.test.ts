import { describe, expect, it } from 'vitest';
import type { ReadRow } from '../clinical-record.ts';
import { openTimeZone } from '../time-zone.ts';
import { CcdaReader } from './ccda-reader.ts';

const loincOid = '2.16.840.1.113883.6.1';
const snomedOid = '2.16.840.1.113883.6.96';
const template = '2.16.840.1.113883.10.20.22.2';
const patient = `<recordTarget><patientRole><id root="2.16.840.1.113883.4.1" extension="111-22-3333"/><id root="1.2.3.4" extension=" 77 "/>
<patient><name use="P"><given>Nick</given></name><name use="L"><given>Ada</given><family>Byron</family></name>
<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="195005011230+0100"/></patient></patientRole></recordTarget>`;

function document(sections: string, header = patient): string {
  return `<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<id root="9.9" extension="d1"/>${header}<component><structuredBody>${sections}</structuredBody></component></ClinicalDocument>`;
}
const section = (number: string, ...statements: readonly string[]): string =>
  `<component><section><templateId root="${template}.${number}"/><text><table><td>&#60;5</td></table></text>${statements
    .map((statement) => `<entry>${statement}</entry>`)
    .join('')}</section></component>`;
const concern = (observation: string): string =>
  `<act classCode="ACT" moodCode="EVN"><statusCode code="active"/><effectiveTime><low value="20200101"/></effectiveTime>
<entryRelationship typeCode="SUBJ">${observation}</entryRelationship>
<entryRelationship typeCode="REFR"><observation moodCode="EVN"><value xsi:type="INT" value="1"/></observation></entryRelationship></act>`;
const diabetes = `<value xsi:type="CD" code="44054006" codeSystem="${snomedOid}"><translation code="E11.9" codeSystem="2.16.840.1.113883.6.90"/></value>`;
const problem = (value = diabetes, attributes = ''): string =>
  concern(
    `<observation classCode="OBS" moodCode="EVN" ${attributes}><id root="9.1" extension="p"/><statusCode code="completed"/><effectiveTime><low value="20190203"/><high value="20190901"/></effectiveTime>${value}</observation>`,
  );
const result = (
  value: string,
  change: { status?: string; time?: string; id?: string; attributes?: string } = {},
): string =>
  `<observation classCode="OBS" moodCode="EVN" ${change.attributes ?? ''}><id root="9.2" extension="${change.id ?? 'r'}"/><code code="2951-2" codeSystem="${loincOid}"/>
<statusCode code="${change.status ?? 'completed'}"/><effectiveTime value="${change.time ?? '20200304101500-0500'}"/>${value}</observation>`;
const sodium = '<value xsi:type="PQ" value="141" unit="mmol/L"/>';
const panel = (...observations: readonly string[]): string =>
  `<organizer classCode="BATTERY" moodCode="EVN"><statusCode code="completed"/>${observations.map((one) => `<component>${one}</component>`).join('')}</organizer>`;
const product = (attributes: string, status: string, times: string): string =>
  `<substanceAdministration ${attributes}><statusCode code="${status}"/>${times}<consumable><manufacturedProduct><manufacturedMaterial>
<code code="860975" codeSystem="2.16.840.1.113883.6.88"><translation code="109081006" codeSystem="${snomedOid}"/></code></manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>`;

function read(text: string, zone = 'UTC'): ReadRow[] {
  const reader = new CcdaReader(openTimeZone(zone));
  const rows = [...reader.write(Buffer.from(text))];
  return rows.length > 0 ? rows : [...reader.end()];
}
/** Each row in one word; a fact as `kind code value day endDay`. */
function said(text: string, zone?: string): string[] {
  return read(text, zone).map((row) => {
    if (row.kind === 'refused' || row.kind === 'file-refused') return `${row.code} ${row.field ?? ''}`.trim();
    if (row.kind !== 'record') return row.kind;
    if (row.record.patient !== null) return 'patient';
    return (
      row.record.facts
        .map(({ kind, code, value, day, second, endDay }) =>
          [kind, code.code, JSON.stringify(value), day, second, endDay].join(' '),
        )
        .join(', ') || 'withdrawn'
    );
  });
}

describe('a C-CDA document', () => {
  it('says who its patient is', () => {
    expect(read(document(''))).toMatchObject([
      {
        kind: 'record',
        record: {
          subject: { authority: 'urn:oid:1.2.3.4', identifier: '77' },
          patient: { name: 'Ada Byron', birthDate: '1950-05-01', sex: 'female' },
        },
      },
    ]);
  });

  it('gives a fact for each statement of the sections that are known by template or by LOINC code', () => {
    const encounter = `<encounter moodCode="EVN"><id root="9.5"/><code code="99213" codeSystem="2.16.840.1.113883.6.12"/><effectiveTime><low value="20200101"/><high value="20200103"/></effectiveTime></encounter>`;
    const procedure = `<procedure moodCode="EVN"><code code="80146002" codeSystem="${snomedOid}"/><statusCode code="completed"/><effectiveTime value="20180101"/></procedure>`;
    const byCode = section('999', panel(result(sodium))).replace(
      '<text>',
      `<code code="30954-2" codeSystem="${loincOid}"/><text>`,
    );
    const text = document(
      [
        section('5.1', problem()),
        section(
          '1.1',
          product(
            'moodCode="INT"',
            'active',
            '<effectiveTime xsi:type="IVL_TS"><low value="20200101"/><high nullFlavor="UNK"/></effectiveTime><effectiveTime xsi:type="PIVL_TS"/>',
          ),
        ),
        section('7.1', procedure),
        section('22', encounter),
        byCode,
        section('6.1', '<act moodCode="EVN"/>'),
      ].join(''),
    );
    expect(said(text)).toEqual([
      'patient',
      'condition 44054006 null 17930  18140',
      'medication 860975 null 18262  ',
      'procedure 80146002 null 17532  ',
      'encounter 99213 null 18262  18264',
      'measurement 2951-2 {"number":141,"unit":"mmol/L"} 18325 54900 ',
      'not-needed',
    ]);
  });

  it('takes the class of an encounter for its code, what more is said for its value, and a death', () => {
    const visit = `<encounter moodCode="EVN"><code code="99213" codeSystem="2.16.840.1.113883.6.12"><translation code="AMB" codeSystem="2.16.840.1.113883.5.4"/></code><effectiveTime value="20200101"/></encounter>`;
    const dead = patient.replace(
      '</patient>',
      '<s:deceasedTime xmlns:s="urn:hl7-org:sdtc" value="20200107"/></patient>',
    );
    const rows = read(document(section('22.1', visit), dead));
    expect(rows[0]).toMatchObject({
      record: { facts: [{ kind: 'condition', code: { code: '419099009' }, day: 18_268 }] },
    });
    expect(rows[1]).toMatchObject({
      record: { facts: [{ code: { code: 'AMB' }, value: { coded: { code: '99213' } } }] },
    });
  });

  it('tells an instant in the zone of the site', () => {
    const late = document(section('3.1', result(sodium, { time: '20200304233000-0500' })));
    expect(said(late, 'Europe/Berlin')[1]).toContain(' 18326 19800 ');
    expect(said(late, 'America/New_York')[1]).toContain(' 18325 84600 ');
  });

  it.each([
    ['a negated problem', section('5.1', problem(diabetes, 'negationInd="true"')), 'withdrawn'],
    [
      'a problem of which nothing is known',
      section('5.1', problem('<value xsi:type="CD" nullFlavor="UNK"/>')),
      'not-needed',
    ],
    [
      'an entry without information',
      section('5.1', '').replace('<entry>', '<entry nullFlavor="NI">'),
      'not-needed',
    ],
    ['a planned result', section('3.1', result(sodium).replace('"EVN"', '"RQO"')), 'not-needed'],
    [
      'a result that is unknown',
      section('3.1', result('<value xsi:type="PQ" nullFlavor="UNK"/>')),
      'withdrawn',
    ],
    [
      'a refused immunization',
      section('2.1', product('moodCode="EVN" negationInd="true"', 'completed', '')),
      'withdrawn',
    ],
    ['a cancelled result', section('3.1', result(sodium, { status: 'cancelled' })), 'withdrawn'],
    ['a nullified result', section('3.1', result(sodium, { status: 'nullified' })), 'withdrawn'],
    [
      'an aborted result',
      section('3.1', result(sodium, { status: 'aborted' })),
      'STATUS_NOT_TAKEN statusCode',
    ],
    ['a pending result', section('3.1', result(sodium, { status: 'active' })), 'STATUS_NOT_TAKEN statusCode'],
    ['a result without a value', section('3.1', result('')), 'MISSING_FIELD value'],
    [
      'a range',
      section('3.1', result('<value xsi:type="IVL_PQ"><high value="5" unit="mg/dL"/></value>')),
      'UNSUPPORTED_VALUE value',
    ],
    ['a result of too many values', section('3.1', result(sodium.repeat(1_001))), 'BAD_VALUE value'],
    ['a text', section('3.1', result('<value xsi:type="ST">yellow</value>')), 'UNSUPPORTED_VALUE value'],
    ['a value of no type', section('3.1', result('<value value="5"/>')), 'UNSUPPORTED_VALUE value'],
    [
      'a number that is none',
      section('3.1', result('<value xsi:type="PQ" value="&lt;5" unit="mg/dL"/>')),
      'BAD_NUMBER value',
    ],
    [
      'a quantity without a unit',
      section('3.1', result('<value xsi:type="PQ" value="5"/>')),
      'MISSING_UNIT value.unit',
    ],
    [
      'a unit that is none',
      section('3.1', result('<value xsi:type="PQ" value="5" unit="x10E3/uL"/>')),
      'UNKNOWN_UNIT value.unit',
    ],
    ['a year as a time', section('3.1', result(sodium, { time: '2020' })), 'BAD_DATE effectiveTime'],
    ['30 February', section('3.1', result(sodium, { time: '20200230' })), 'BAD_DATE effectiveTime'],
    ['a code of no system', section('3.1', result('<value xsi:type="CD" code="1"/>')), 'MISSING_FIELD value'],
    [
      'a system that is no object identifier',
      section('3.1', result('<value xsi:type="CD" code="1" codeSystem="Doe, Jane"/>')),
      'BAD_CODE value.codeSystem',
    ],
    [
      'a text as a code',
      section('3.1', result(`<value xsi:type="CD" code="Jane Doe" codeSystem="${snomedOid}"/>`)),
      'BAD_CODE value.code',
    ],
  ])('takes no fact from %s', (_, body, expected) => {
    expect(said(document(body))[1]).toBe(expected);
  });

  it.each([
    [
      '<value xsi:type="CE" nullFlavor="OTH"><translation code="260373001" codeSystem="2.16.840.1.113883.6.96"/></value>',
      { coded: { system: 'http://snomed.info/sct', code: '260373001' } },
    ],
    [
      '<value xsi:type="cda:CD" xmlns:cda="urn:hl7-org:v3" code="x" codeSystem="1.2.3"/>',
      { coded: { system: 'urn:oid:1.2.3', code: 'x' } },
    ],
    [
      '<value xsi:type="CD" code="373066001" codeSystem="2.16.840.1.113883.6.96"/>',
      { number: 1, unit: null },
    ],
    ['<value xsi:type="INT" value="3"/>', { number: 3, unit: '1' }],
    ['<value xsi:type="REAL" value="-2.5e1"/>', { number: -25, unit: '1' }],
    ['<value xsi:type="BL" value="true"/>', { number: 1, unit: null }],
    ['<value xsi:type="PQ" value="7" unit="{beats}/min"/>', { number: 7, unit: '/min' }],
  ])('reads %s', (value, expected) => {
    expect(read(document(section('3.1', result(value))))[1]).toMatchObject({
      record: { facts: [{ value: expected }] },
    });
  });

  it('keeps statements apart that share an id, and takes one that stands twice for one', () => {
    const other = result('<value xsi:type="PQ" value="142" unit="mmol/L"/>');
    const rows = read(document(section('3.1', panel(result(sodium), other, result(sodium)))));
    const ids = rows.flatMap((row) => (row.kind === 'record' ? [JSON.stringify(row.record.sourceId)] : []));
    expect(new Set(ids.slice(1)).size).toBe(2);
    expect(ids[1]).toBe(ids[3]);
  });

  it.each([
    ['no patient', '', 'MISSING_FIELD recordTarget.patientRole.id'],
    ['two patients', patient + patient, 'IDENTITY_CONFLICT recordTarget'],
    ['a birth date that is none', patient.replace('19500501', '19501301'), 'BAD_DATE birthTime'],
    ['a gender that is none', patient.replace('code="F"', 'code="X"'), 'BAD_VALUE administrativeGenderCode'],
  ])('with %s is refused where it is wrong', (_, header, expected) => {
    const rows = said(document(section('3.1', result(sodium)), header));
    expect(rows[0]).toBe(expected);
    expect(rows).toHaveLength(2);
    if (expected.includes('recordTarget')) expect(rows[1]).toBe('UNRESOLVED_REFERENCE recordTarget');
  });

  it.each([
    ['a section alone', '<section xmlns="urn:hl7-org:v3"/>', 'CDA_FRAGMENT'],
    ['another namespace', document('').replace('urn:hl7-org:v3', 'urn:other'), 'CDA_FRAGMENT'],
    ['no body', document('').replaceAll('structuredBody', 'x'), 'CDA_FRAGMENT'],
    ['a text as its body', document('').replaceAll('structuredBody', 'nonXMLBody'), 'CDA_UNSTRUCTURED'],
    [
      'a document type',
      `<!DOCTYPE x>${document('').replace('<?xml version="1.0"?>', '')}`,
      'XML_DTD_REFUSED',
    ],
    ['no end', document('').slice(0, -20), 'TRUNCATED'],
  ])('with %s is refused as a whole', (_, text, code) => {
    expect(said(text)).toEqual([code]);
  });

  it('reads 20,000 statements of one id in a time that grows with their number', () => {
    const many = Array.from({ length: 20_000 }, (_, at) =>
      result(`<value xsi:type="PQ" value="${at}" unit="mmol/L"/>`),
    );
    const rows = read(document(section('3.1', panel(...many))));
    expect(rows).toHaveLength(20_001);
  });
});
