// DIMSE commands (PS3.7 sections 6.3, 9.3, Annex E): reads a command set, which is Implicit VR Little Endian, and writes responses.
import { AssociationFault } from './receiver-fault.ts';

export const commandField = { storeRequest: 0x0001, echoRequest: 0x0030, cancelRequest: 0x0fff } as const;

/** PS3.7 Annex C, PS3.4 Table B.2-1. */
export const dimseStatus = {
  success: 0x0000,
  invalidSopInstance: 0x0117,
  sopClassNotSupported: 0x0122,
  outOfResources: 0xa700,
  doesNotMatch: 0xa900,
  cannotUnderstand: 0xc000,
} as const;

export interface DimseCommand {
  readonly field: number;
  readonly messageId: number;
  readonly sopClass: string;
  readonly sopInstance: string;
  readonly hasDataSet: boolean;
}

/** A command is some hundred bytes. */
export const maxCommandBytes = 16_384;
const noDataSet = 0x0101;

const element = {
  groupLength: 0x0000,
  affectedSopClass: 0x0002,
  commandField: 0x0100,
  messageId: 0x0110,
  messageIdRespondedTo: 0x0120,
  dataSetType: 0x0800,
  status: 0x0900,
  affectedSopInstance: 0x1000,
} as const;

/** @throws AssociationFault MALFORMED_DIMSE. */
export function parseCommand(bytes: Buffer): DimseCommand {
  const values = parseElements(bytes);
  const field = numberOf(values, element.commandField);
  const messageId = numberOf(values, element.messageId);
  const dataSetType = numberOf(values, element.dataSetType);
  if (field === undefined || messageId === undefined || dataSetType === undefined)
    throw new AssociationFault('MALFORMED_DIMSE');
  return {
    field,
    messageId,
    sopClass: textOf(values, element.affectedSopClass),
    sopInstance: textOf(values, element.affectedSopInstance),
    hasDataSet: dataSetType !== noDataSet,
  };
}

/** Elements of group 0000 by their element number, in rising order, each within the bytes. */
function parseElements(bytes: Buffer): Map<number, Buffer> {
  const values = new Map<number, Buffer>();
  let last = -1;
  for (let at = 0; at < bytes.length; ) {
    if (at + 8 > bytes.length) throw new AssociationFault('MALFORMED_DIMSE');
    const group = bytes.readUInt16LE(at);
    const number = bytes.readUInt16LE(at + 2);
    const end = at + 8 + bytes.readUInt32LE(at + 4);
    // A length that goes past the command, another group, an element twice: nobody honest writes that.
    if (group !== 0 || number <= last || end > bytes.length) throw new AssociationFault('MALFORMED_DIMSE');
    values.set(number, bytes.subarray(at + 8, end));
    last = number;
    at = end;
  }
  return values;
}

function numberOf(values: Map<number, Buffer>, number: number): number | undefined {
  const value = values.get(number);
  return value?.length === 2 ? value.readUInt16LE(0) : undefined;
}

function textOf(values: Map<number, Buffer>, number: number): string {
  return (values.get(number)?.toString('latin1') ?? '').replace(/[\0 ]+$/, '');
}

/** Whether a text can be a UID: nothing else gets into a file's meta information or its name (`../` in a UID). */
export function isUid(text: string): boolean {
  return /^[0-9.]{1,64}$/.test(text) && !text.includes('..') && !text.startsWith('.') && !text.endsWith('.');
}

/** The response to a request, without a data set. */
export function encodeResponse(request: DimseCommand, status: number): Buffer {
  const elements = [
    textElement(element.affectedSopClass, request.sopClass),
    numberElement(element.commandField, request.field | 0x8000),
    numberElement(element.messageIdRespondedTo, request.messageId),
    numberElement(element.dataSetType, noDataSet),
    numberElement(element.status, status),
    ...(request.field === commandField.storeRequest
      ? [textElement(element.affectedSopInstance, request.sopInstance)]
      : []),
  ];
  const length = Buffer.alloc(4);
  length.writeUInt32LE(elements.reduce((total, part) => total + part.length, 0));
  return Buffer.concat([encodeElement(element.groupLength, length), ...elements]);
}

function textElement(number: number, text: string): Buffer {
  return encodeElement(number, Buffer.from(text.length % 2 === 0 ? text : `${text}\0`, 'latin1'));
}

function numberElement(number: number, value: number): Buffer {
  return encodeElement(number, Buffer.from([value & 0xff, value >> 8]));
}

function encodeElement(number: number, value: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(number, 2);
  header.writeUInt32LE(value.length, 4);
  return Buffer.concat([header, value]);
}
