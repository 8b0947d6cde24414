// Puts a patient that nobody else is called like into the exports of the four formats, and finds traces of that patient in any bytes.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The names are in Latin-1 but not in ASCII, so that a change of encoding shows. */
export const plant = {
  given: 'Zéphyrine',
  family: 'Quïllfeather',
  identifier: 'PLANT-77319426',
  birthDate: '1931-07-23',
} as const;

/** Changes the exports below `exports` (one folder for each hospital): one patient becomes the planted one, and refused rows name it too. */
export function plantPatient(exports: string): void {
  plantCsv(path.join(exports, 'cleveland'));
  plantFhir(path.join(exports, 'hungary'));
  plantOmop(path.join(exports, 'switzerland'));
  plantFhir(path.join(exports, 'long-beach'));
}

function change(file: string, edit: (text: string) => string): void {
  writeFileSync(file, edit(readFileSync(file, 'utf8')));
}

/** The first row in the training part becomes the planted patient; a second one of that name has a name for a date. */
function plantCsv(folder: string): void {
  const file = path.join(folder, 'patients.csv');
  const { given, family, identifier, birthDate } = plant;
  const name = `"${family}, ${given}"`;
  change(file, (text) => {
    const row =
      text.split('\r\n').find((line) => line.includes(',train,') && line.includes(',signed,')) ?? '';
    const planted = row.replace(/^[^,]+,"[^"]*",[^,]+/, `${identifier},${name},${birthDate}`);
    const refused = planted.replace(birthDate, family);
    return `${text.replace(row, planted)}${refused}\r\n`;
  });
  // A file name often names the patient.
  renameSync(file, path.join(folder, `${family} ${birthDate}.csv`));
}

/** The first patient of a bundle or of NDJSON files; the resource's id is the identifier. One observation has the name for a unit. */
function plantFhir(folder: string): void {
  const { given, family, identifier, birthDate } = plant;
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  const all = files.map((file) => readFileSync(file, 'utf8')).join('\n');
  const patient = /\{"resourceType":"Patient","id":"([^"]+)".*?"birthDate":"[^"]+"\}/.exec(all);
  const [resource = '', uuid = ''] = patient ?? [];
  const planted = resource
    .replace(/"value":"[^"]+"/, `"value":"${identifier}"`)
    .replace(/"family":"[^"]+","given":\["[^"]+"\]/, `"family":"${family}","given":["${given}"]`)
    .replace(/"birthDate":"[^"]+"/, `"birthDate":"${birthDate}"`);
  for (const file of files) {
    change(file, (text) =>
      text
        .replace(resource, planted)
        .replace(new RegExp(`("id":"chol-${uuid}".*?"code":")(?:mg/dL|g/L)"`), `$1${family}"`)
        .replaceAll(uuid, identifier),
    );
  }
}

/** OMOP has no names: the first person's identifier and birth date, and a value that is a name. */
function plantOmop(folder: string): void {
  const { family, identifier, birthDate } = plant;
  const [year, month, day] = birthDate.split('-').map(Number);
  change(path.join(folder, 'person.csv'), (text) =>
    text.replace(
      /\n1,(\d+),\d+,\d+,\d+,[^,]+,0,0,[^,]+,/,
      `\n1,$1,${year},${month},${day},${birthDate} 00:00:00,0,0,${identifier},`,
    ),
  );
  change(path.join(folder, 'measurement.csv'), (text) => {
    const [row = ''] = /\n\d+,1,[^\n]+\n$/.exec(`${text.split('\n').slice(0, 2).join('\n')}\n`) ?? [];
    const cells = row.trim().split(',');
    cells[0] = '999999';
    cells[6] = family;
    return `${text}${cells.join(',')}\n`;
  });
}

/** A searched text and how it was written. */
interface Needle {
  readonly name: string;
  readonly bytes: Buffer;
}

/** What would give the patient away, by what it is. */
const traces: Readonly<Record<string, readonly string[]>> = {
  given: [plant.given],
  family: [plant.family],
  identifier: [plant.identifier, plant.identifier.replace(/\D/g, '')],
  birthDate: ['1931-07-23', '19310723', '1931/07/23', '23.07.1931', '23/07/1931', '07/23/1931'],
};

const needles: readonly Needle[] = Object.entries(traces).flatMap(([name, texts]) =>
  texts.flatMap((text) => spellings(text).flatMap((spelling) => writings(name, spelling))),
);

/** As it is, all large, all small, without its accents, and with accents of their own (NFD). */
function spellings(text: string): string[] {
  const plain = text.normalize('NFD').replace(/\p{M}/gu, '');
  const all = [text, text.normalize('NFD'), plain].flatMap((form) => [
    form,
    form.toUpperCase(),
    form.toLowerCase(),
  ]);
  return [...new Set(all)];
}

/** In the encodings of text, in base64 (at each of its three places) and hexadecimal, and as a plain hash that anyone could look up. */
function writings(name: string, text: string): Needle[] {
  const utf8 = Buffer.from(text, 'utf8');
  const utf16 = Buffer.from(text, 'utf16le');
  const encoded: [string, Buffer][] = [
    ['UTF-8', utf8],
    ['Latin-1', Buffer.from(text, 'latin1')],
    ['UTF-16LE', utf16],
    ['UTF-16BE', Buffer.from(utf16).swap16()],
    ['percent', Buffer.from(encodeURIComponent(text))],
    ['JSON', Buffer.from(asciiJson(text))],
    ['hexadecimal', Buffer.from(utf8.toString('hex'))],
    ['SHA-256', createHash('sha256').update(utf8).digest()],
    ['SHA-256 in hexadecimal', Buffer.from(createHash('sha256').update(utf8).digest('hex'))],
    ...[0, 1, 2].map((shift): [string, Buffer] => [`base64 at ${shift}`, base64At(utf8, shift)]),
  ];
  return encoded.map(([encoding, bytes]) => ({ name: `${name} in ${encoding}`, bytes }));
}

/** JSON with everything beyond ASCII escaped. */
function asciiJson(text: string): string {
  return text.replace(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The digits that a text gives wherever it begins in a longer one. */
function base64At(bytes: Buffer, shift: number): Buffer {
  const padded = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replaceAll('=', '');
  const begin = Math.ceil((shift * 8) / 6);
  const end = Math.floor(((shift + bytes.length) * 8) / 6);
  return Buffer.from(padded.slice(begin, end));
}

/** What of the planted patient is in these bytes: e.g. `family in UTF-8`. */
export function findTraces(bytes: Uint8Array): string[] {
  const searched = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return [...new Set(needles.filter((needle) => searched.includes(needle.bytes)).map(({ name }) => name))];
}

/** Every file below a folder, with what was found in it and in its name. */
export function findTracesBelow(folder: string): { file: string; found: string[] }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return { file, found: [...findTraces(readFileSync(file)), ...findTraces(Buffer.from(entry.name))] };
    });
}
