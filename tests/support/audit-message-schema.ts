// The DICOM audit message schema (PS3.15 A.5.1.1, RELAX NG) as a table, and a check of a message against it: which elements in which order
// and number, which attributes, which values.
import { SaxesParser } from 'saxes';

type Value = RegExp | readonly string[];

interface Rule {
  readonly attributes: Readonly<Record<string, { readonly value: Value; readonly isOptional?: true }>>;
  /** In any order: RELAX NG compact `,` orders elements; names here are joined as they came and matched. */
  readonly content: RegExp;
  readonly text?: Value;
}

const token = /^\S(?:.*\S)?$|^$/su;
const anything = /^[\s\S]*$/u;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const upTo = (last: number): readonly string[] =>
  Array.from({ length: last }, (_, index) => String(index + 1));

const coded: Rule = {
  attributes: {
    'csd-code': { value: token },
    codeSystemName: { value: token },
    displayName: { value: token, isOptional: true },
    originalText: { value: token },
  },
  content: /^$/,
};

const rules: Readonly<Record<string, Rule>> = {
  AuditMessage: {
    attributes: {},
    content:
      /^EventIdentification (?:ActiveParticipant )+AuditSourceIdentification (?:ParticipantObjectIdentification )*$/,
  },
  EventIdentification: {
    attributes: {
      EventActionCode: { value: ['C', 'R', 'U', 'D', 'E'], isOptional: true },
      EventDateTime: { value: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/ },
      EventOutcomeIndicator: { value: ['0', '4', '8', '12'] },
    },
    content: /^EventID (?:EventTypeCode )*(?:EventOutcomeDescription )?$/,
  },
  EventID: coded,
  EventTypeCode: coded,
  EventOutcomeDescription: { attributes: {}, content: /^$/, text: anything },
  ActiveParticipant: {
    attributes: {
      UserID: { value: anything },
      AlternativeUserID: { value: anything, isOptional: true },
      UserName: { value: anything, isOptional: true },
      UserIsRequestor: { value: ['true', 'false', '1', '0'] },
      NetworkAccessPointID: { value: token, isOptional: true },
      NetworkAccessPointTypeCode: { value: upTo(5), isOptional: true },
    },
    content: /^(?:RoleIDCode )*(?:MediaIdentifier )?$/,
  },
  RoleIDCode: coded,
  MediaIdentifier: { attributes: {}, content: /^MediaType $/ },
  MediaType: coded,
  AuditSourceIdentification: {
    attributes: {
      AuditEnterpriseSiteID: { value: token, isOptional: true },
      AuditSourceID: { value: token },
    },
    content: /^(?:AuditSourceTypeCode )*$/,
  },
  AuditSourceTypeCode: { attributes: { 'csd-code': { value: upTo(9) } }, content: /^$/ },
  ParticipantObjectIdentification: {
    attributes: {
      ParticipantObjectID: { value: token },
      ParticipantObjectTypeCode: { value: upTo(4), isOptional: true },
      ParticipantObjectTypeCodeRole: { value: upTo(26), isOptional: true },
      ParticipantObjectDataLifeCycle: { value: upTo(15), isOptional: true },
      ParticipantObjectSensitivity: { value: token, isOptional: true },
    },
    content:
      /^ParticipantObjectIDTypeCode (?:ParticipantObjectName |ParticipantObjectQuery )(?:ParticipantObjectDetail )*$/,
  },
  ParticipantObjectIDTypeCode: coded,
  ParticipantObjectName: { attributes: {}, content: /^$/, text: token },
  ParticipantObjectQuery: { attributes: {}, content: /^$/, text: base64 },
  ParticipantObjectDetail: {
    attributes: { type: { value: token }, value: { value: base64 } },
    content: /^$/,
  },
};

/** An element of a message that was read. */
export interface ReadElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: ReadElement[];
  text: string;
}

/** The message, parsed and checked. @throws Error that says which rule a message breaks. */
export function readAuditMessage(xml: string): ReadElement {
  const root = parse(xml);
  if (root.name !== 'AuditMessage') throw new Error(`the root is ${root.name}`);
  check(root);
  return root;
}

function parse(xml: string): ReadElement {
  const parser = new SaxesParser({ xmlns: false });
  const open: ReadElement[] = [];
  let root: ReadElement | undefined;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => {
    throw new Error('a document type');
  });
  parser.on('opentag', ({ name, attributes }) => {
    const element: ReadElement = { name, attributes, children: [], text: '' };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on('closetag', () => void open.pop());
  parser.on('text', (text) => {
    const last = open.at(-1);
    if (last !== undefined) last.text += text;
  });
  parser.write(xml).close();
  if (root === undefined) throw new Error('no element');
  return root;
}

function check(element: ReadElement): void {
  const { name, attributes, children, text } = element;
  const rule = rules[name];
  if (rule === undefined) throw new Error(`no rule has an element ${name}`);
  for (const [attribute, { value, isOptional }] of Object.entries(rule.attributes)) {
    const found = attributes[attribute];
    if (found === undefined && isOptional !== true) throw new Error(`${name} lacks ${attribute}`);
    if (found !== undefined && !isOf(found, value))
      throw new Error(`${name} has a bad ${attribute}: ${found}`);
  }
  const unknown = Object.keys(attributes).filter((attribute) => !(attribute in rule.attributes));
  if (unknown.length > 0) throw new Error(`${name} has an unknown ${unknown.join()}`);
  const content = children.map((child) => `${child.name} `).join('');
  if (!rule.content.test(content)) throw new Error(`${name} holds ${content}`);
  if (!isOf(text, rule.text ?? /^$/)) throw new Error(`${name} has a text that it must not have`);
  for (const child of children) check(child);
}

function isOf(text: string, value: Value): boolean {
  return value instanceof RegExp ? value.test(text) : value.includes(text);
}

/** All elements of a name, in order. */
export function elementsOf(root: ReadElement, name: string): ReadElement[] {
  return [
    ...(root.name === name ? [root] : []),
    ...root.children.flatMap((child) => elementsOf(child, name)),
  ];
}
