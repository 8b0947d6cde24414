// An XML document as a small tree, read in a stream within limits (security.md X11). No document type declaration is taken, so
// there are no entities to expand, no files or addresses to fetch (billion laughs, external entities).
import { SaxesParser, type SaxesTagNS } from 'saxes';
import type { FileRefusalCode } from '../ingest-error.ts';
import { declarationBytes, encodingOf, openXmlDecoder } from './xml-text.ts';

export interface XmlElement {
  readonly namespace: string;
  /** Local name. */
  readonly name: string;
  /** Value by local name; those of a namespace by `{namespace}name`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Its own text, without that of its children. */
  readonly text: string;
}

export interface XmlLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
  /** That are held at one time. */
  readonly maxElements: number;
  /** Of one element. */
  readonly maxAttributes: number;
}

export const xmlLimits: XmlLimits = {
  maxBytes: 33_554_432,
  maxDepth: 128,
  maxElements: 200_000,
  maxAttributes: 256,
};

/** Leaves the parse; its reader makes a value of it. */
export class XmlRefusal extends Error {
  readonly code: FileRefusalCode;

  constructor(code: FileRefusalCode) {
    super(code);
    this.code = code;
  }
}

interface OpenElement {
  readonly namespace: string;
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: OpenElement[];
  text: string;
}

export interface XmlDocumentOptions {
  readonly limits?: XmlLimits;
  /** Elements that are checked and left out with all that is in them. */
  readonly isLeftOut?: (element: XmlElement, parent: XmlElement | undefined) => boolean;
  /**
   * Asked for each element at its end, with the elements that it stands in, outermost first, as far as they were read: whether it was
   * taken and need not be held.
   */
  readonly take?: (element: XmlElement, around: readonly XmlElement[]) => boolean;
}

const noAttributes: ReadonlyMap<string, string> = new Map();

/** Takes bytes in order, gives the outermost element at the end. */
export class XmlDocument {
  readonly #limits: XmlLimits;
  readonly #isLeftOut: NonNullable<XmlDocumentOptions['isLeftOut']>;
  readonly #take: NonNullable<XmlDocumentOptions['take']>;
  readonly #parser = new SaxesParser({ xmlns: true, position: false });
  #decode: ((bytes?: Uint8Array) => string) | undefined;
  #head = Buffer.alloc(0);
  #size = 0;
  #depth = 0;
  /** Elements held, and how many were when each open one began. */
  #heldCount = 0;
  readonly #heldBefore: number[] = [];
  #attributeCount = 0;
  /** Depth of the outermost element that is left out; 0 where none is open. */
  #leftOutAt = 0;
  readonly #open: OpenElement[] = [];
  #root: OpenElement | undefined;

  constructor({ limits = xmlLimits, isLeftOut = () => false, take = () => false }: XmlDocumentOptions = {}) {
    this.#limits = limits;
    this.#isLeftOut = isLeftOut;
    this.#take = take;
    this.#parser.on('doctype', () => {
      throw new XmlRefusal('XML_DTD_REFUSED');
    });
    this.#parser.on('error', (error) => {
      throw new XmlRefusal(refusalOf(error.message));
    });
    this.#parser.on('attribute', () => {
      this.#attributeCount += 1;
      if (this.#attributeCount > limits.maxAttributes) throw new XmlRefusal('XML_TOO_LARGE');
    });
    this.#parser.on('opentagstart', () => {
      this.#attributeCount = 0;
    });
    this.#parser.on('opentag', (tag) => this.#openElement(tag));
    this.#parser.on('closetag', () => this.#closeElement());
    this.#parser.on('text', (text) => this.#addText(text));
    this.#parser.on('cdata', (text) => this.#addText(text));
  }

  /** @throws XmlRefusal FILE_TOO_LARGE, MALFORMED_XML, NOT_UTF8, TOO_DEEP, UNSUPPORTED_ENCODING, XML_*. */
  write(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size > this.#limits.maxBytes) throw new XmlRefusal('FILE_TOO_LARGE');
    if (this.#decode !== undefined) {
      this.#parser.write(this.#decode(bytes));
      return;
    }
    // The declaration may come in pieces. The caller may use its buffer again.
    this.#head = Buffer.concat([this.#head, bytes]);
    if (this.#head.length >= declarationBytes) this.#begin();
  }

  #begin(): void {
    const encoding = encodingOf(this.#head);
    if (encoding === undefined) throw new XmlRefusal('UNSUPPORTED_ENCODING');
    this.#decode = strictDecoder(encoding);
    this.#parser.write(this.#decode(this.#head));
    this.#head = Buffer.alloc(0);
  }

  /** The outermost element. @throws XmlRefusal as `write`, and TRUNCATED. */
  end(): XmlElement {
    if (this.#size === 0) throw new XmlRefusal('EMPTY_FILE');
    if (this.#decode === undefined) this.#begin();
    this.#parser.write(this.#decode?.() ?? '');
    if (this.#depth > 0) throw new XmlRefusal('TRUNCATED');
    this.#parser.close();
    if (this.#root === undefined) throw new XmlRefusal('MALFORMED_XML');
    return this.#root;
  }

  #openElement(tag: SaxesTagNS): void {
    this.#depth += 1;
    if (this.#depth > this.#limits.maxDepth) throw new XmlRefusal('TOO_DEEP');
    if (this.#leftOutAt > 0) return;
    const element = {
      namespace: tag.uri,
      name: tag.local,
      attributes: attributesOf(tag),
      children: [],
      text: '',
    };
    const parent = this.#open.at(-1);
    if (this.#isLeftOut(element, parent)) {
      this.#leftOutAt = this.#depth;
      return;
    }
    this.#heldBefore.push(this.#heldCount);
    this.#heldCount += 1;
    if (this.#heldCount > this.#limits.maxElements) throw new XmlRefusal('XML_TOO_LARGE');
    if (parent === undefined) this.#root = element;
    else parent.children.push(element);
    this.#open.push(element);
  }

  #closeElement(): void {
    if (this.#leftOutAt === 0) this.#finish();
    else if (this.#leftOutAt === this.#depth) this.#leftOutAt = 0;
    this.#depth -= 1;
  }

  #finish(): void {
    const element = this.#open.pop();
    const before = this.#heldBefore.pop() ?? 0;
    if (element === undefined || !this.#take(element, this.#open)) return;
    this.#open.at(-1)?.children.pop();
    this.#heldCount = before;
  }

  #addText(text: string): void {
    const element = this.#open.at(-1);
    if (element !== undefined && this.#leftOutAt === 0) element.text += text;
  }
}

function attributesOf({ attributes }: SaxesTagNS): ReadonlyMap<string, string> {
  const entries = Object.values(attributes);
  if (entries.length === 0) return noAttributes;
  return new Map(
    entries.map(({ uri, local, value }) => [uri === '' ? local : `{${uri}}${local}`, value] as const),
  );
}

/** By what the parser says; its message also holds names from the file and goes no further. */
function refusalOf(message: string): FileRefusalCode {
  if (message.includes('undefined entity')) return 'XML_ENTITY_REFUSED';
  if (message.includes('doctype')) return 'XML_DTD_REFUSED';
  return 'MALFORMED_XML';
}

function strictDecoder(encoding: NonNullable<ReturnType<typeof encodingOf>>): (bytes?: Uint8Array) => string {
  const decode = openXmlDecoder(encoding);
  return (bytes) => {
    try {
      return decode(bytes);
    } catch {
      throw new XmlRefusal(encoding === 'utf-8' ? 'NOT_UTF8' : 'MALFORMED_XML');
    }
  };
}
