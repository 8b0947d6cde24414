// Short text values of elements whose repertoire is ASCII (UI, DA, DT, TM, AS, CS, AE), read and written without a character set.
import type { DataSet, ValueElement } from './data-set.ts';
import { findElement } from './data-set.ts';

/** The value without its padding; bytes above 127 as Latin-1. */
export function asciiText(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0 || bytes[end - 1] === 0x20)) end -= 1;
  let text = '';
  for (let index = 0; index < end; index += 1) text += String.fromCharCode(bytes[index] ?? 0);
  return text.trimStart();
}

/** An element with an ASCII value, unpadded: writing pads. */
export function textElement(tag: number, vr: string, text: string): ValueElement {
  return { tag, vr, bytes: asciiBytes(text) };
}

export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** ASCII text of an element at the top of a data set; empty where there is none. */
export function textOf(dataSet: DataSet, tag: number): string {
  const element = findElement(dataSet, tag);
  return element !== undefined && 'bytes' in element ? asciiText(element.bytes) : '';
}
