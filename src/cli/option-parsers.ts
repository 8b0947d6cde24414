// Reads option values where they are typed: what is refused here names its option and ends with exit code 2.
import { InvalidArgumentError } from 'commander';

const largestPort = 65_535;

/** A parser of whole numbers in decimal digits. @throws InvalidArgumentError, by which commander names the option */
export function parseWholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
    return value;
  };
}

/** A parser of decimal numbers, with an exponent or without. @throws InvalidArgumentError */
export function parseNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = readDecimal(text);
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`It takes a number from ${least} to ${most}.`);
    return value;
  };
}

/** A number above 0 and below 1. @throws InvalidArgumentError */
export function parseChance(text: string): number {
  const value = readDecimal(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('It takes a number above 0 and below 1.');
  return value;
}

/** NaN for anything but decimal digits: neither hexadecimal, nor Infinity, nor nothing. */
function readDecimal(text: string): number {
  return /^(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : Number.NaN;
}

/** 0 is any free port. @throws InvalidArgumentError */
export const parsePort = parseWholeNumber(0, largestPort);

/** A day of the calendar, YYYY-MM-DD, as it was given. @throws InvalidArgumentError, also for 30 February */
export function parseDate(text: string): string {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text)
    throw new InvalidArgumentError('It takes a day of the calendar, YYYY-MM-DD.');
  return text;
}

/** `NAME=URI`, once or several times. @throws InvalidArgumentError */
export function parseAuthority(
  text: string,
  before: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const at = text.lastIndexOf('=');
  const [name, uri] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || !/^[a-z][a-z0-9+.-]*:[!-~]{1,180}$/i.test(uri))
    throw new InvalidArgumentError(
      'It takes NAME=URI, e.g. urn:oid:1.2.3=https://hospital.example/patient-number.',
    );
  return new Map([...before, [name, uri]]);
}

/** A time zone of the IANA database. @throws InvalidArgumentError */
export function parseTimeZone(text: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw new InvalidArgumentError('It takes a time zone by its IANA name, e.g. Europe/Berlin.');
  }
}
