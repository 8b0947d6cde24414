// Values that stay: what a patient characteristic or a number may look like. Text behind a value's end, or in the place of a number,
// is where an identifier hides from a table of tags.
import { asciiText } from './element-text.ts';
import { capAge } from './patient-age.ts';

const pregnancyStatuses = 4;
/** The ethnic group is free text of 16 characters, enough for a name: only these terms stay. */
const ethnicGroups =
  /^((non[ -]?)?hispanic|latino|white|black|asian|caucasian|african|african american|european|american indian|native american|pacific islander|arab|indian|mixed|multiracial|other|unknown|declined)?$/i;

/** Whether the bytes are a list of UIDs, padded as DICOM pads. */
export function isUidList(bytes: Uint8Array): boolean {
  return consistsOf(bytes, isUidByte);
}

/** Whether the bytes are decimal numbers (DS, IS), padded as DICOM pads. */
export function isNumberList(bytes: Uint8Array): boolean {
  return consistsOf(bytes, isNumberByte);
}

/** Whether a characteristic of the patient (option 113108) is well formed. Its text is ASCII apart from the ethnic group's. */
export function isCharacteristic(tag: number, bytes: Uint8Array): boolean {
  const text = asciiText(bytes);
  switch (tag) {
    case 0x00100040:
      return /^[MFO]?$/.test(text);
    case 0x00101020:
    case 0x00101030:
      return isNumberList(bytes);
    case 0x001021a0:
      return /^(YES|NO|UNKNOWN)?$/.test(text);
    case 0x001021c0:
      return bytes.length === 2 && ((bytes[0] ?? 0) | (bytes[1] ?? 0)) <= pregnancyStatuses;
    case 0x00102203:
      return /^(ALTERED|UNALTERED)?$/.test(text);
    case 0x00102160:
      return ethnicGroups.test(text);
    default:
      return capAge(text) !== undefined;
  }
}

function consistsOf(bytes: Uint8Array, isAllowed: (byte: number) => boolean): boolean {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0 || bytes[end - 1] === 0x20)) end -= 1;
  for (let index = 0; index < end; index += 1) if (!isAllowed(bytes[index] ?? 0)) return false;
  return true;
}

function isUidByte(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2e || byte === 0x5c;
}

/** Digits, sign, point, exponent, space, backslash. */
function isNumberByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2e ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x45 ||
    byte === 0x65 ||
    byte === 0x20 ||
    byte === 0x5c
  );
}
