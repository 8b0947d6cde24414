import { describe, expect, it } from 'vitest';
import { XmlDocument, type XmlElement, xmlLimits } from './xml-document.ts';

function parse(content: string | Uint8Array, chunkBytes = Number.POSITIVE_INFINITY): XmlElement {
  const bytes = Buffer.from(content);
  const xml = new XmlDocument();
  for (let at = 0; at < bytes.length; at += chunkBytes) xml.write(bytes.subarray(at, at + chunkBytes));
  return xml.end();
}

const laughs = `<!DOCTYPE a [<!ENTITY b "ha">${Array.from({ length: 20 }, (_, level) => `<!ENTITY c${level} "&b;&b;&b;&b;">`).join('')}]><a>&c19;</a>`;
const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

describe('an XML document', () => {
  it('becomes a tree with namespaces, attributes and text, whatever the size of its chunks', () => {
    const text =
      '<?xml version="1.0"?><!-- x --><p:a xmlns:p="urn:p" xmlns="urn:d" b="1" p:c="2">t<d e="&lt;&#228;"/><![CDATA[<u>]]></p:a>';
    for (const chunkBytes of [1, 7, Number.POSITIVE_INFINITY]) {
      const root = parse(text, chunkBytes);
      expect([root.namespace, root.name, root.text]).toEqual(['urn:p', 'a', 't<u>']);
      expect([root.attributes.get('b'), root.attributes.get('{urn:p}c')]).toEqual(['1', '2']);
      expect(
        root.children.map(({ namespace, name, attributes }) => [namespace, name, attributes.get('e')]),
      ).toEqual([['urn:d', 'd', '<ä']]);
    }
  });

  it.each([
    ['UTF-8', Buffer.from('<a b="Ä€"/>'), 'Ä€'],
    ['UTF-16, little endian', utf16('<a b="Ä€"/>'), 'Ä€'],
    ['UTF-16, big endian', utf16('<a b="Ä€"/>').swap16(), 'Ä€'],
    ['ISO-8859-1', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a b="Ä"/>', 'latin1'), 'Ä'],
    [
      'Windows-1252',
      Buffer.concat([
        Buffer.from("<?xml version='1.0' encoding='windows-1252'?><a b='"),
        Buffer.from([0x80]),
        Buffer.from("'/>"),
      ]),
      '€',
    ],
  ])('is read in %s', (_, bytes, expected) => {
    for (const chunkBytes of [64, Number.POSITIVE_INFINITY])
      expect(parse(bytes, chunkBytes).attributes.get('b')).toBe(expected);
  });

  it.each([
    ['a document type', '<!DOCTYPE a><a/>', 'XML_DTD_REFUSED'],
    ['a billion laughs', laughs, 'XML_DTD_REFUSED'],
    [
      'an external entity',
      '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
      'XML_DTD_REFUSED',
    ],
    ['an external document type', '<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>', 'XML_DTD_REFUSED'],
    ['a parameter entity', '<!DOCTYPE a [<!ENTITY % x "y"> %x;]><a/>', 'XML_DTD_REFUSED'],
    ['a late document type', '<a/><!DOCTYPE a>', 'XML_DTD_REFUSED'],
    ['an unknown entity', '<a>&nbsp;</a>', 'XML_ENTITY_REFUSED'],
    ['an entity named like an inherited member', '<a>&constructor;</a>', 'XML_ENTITY_REFUSED'],
    ['an entity named like the prototype', '<a b="&__proto__;"/>', 'XML_ENTITY_REFUSED'],
    ['a document that breaks off', '<a><b>', 'TRUNCATED'],
    ['a document that breaks off in a tag', '<a><b c="', 'TRUNCATED'],
    ['crossed tags', '<a><b></a></b>', 'MALFORMED_XML'],
    ['two roots', '<a/><a/>', 'MALFORMED_XML'],
    ['a prefix without a namespace', '<x:a/>', 'MALFORMED_XML'],
    ['an attribute twice', '<a b="1" b="2"/>', 'MALFORMED_XML'],
    ['the same attribute under two prefixes', '<a xmlns:p="u" xmlns:q="u" p:b="" q:b=""/>', 'MALFORMED_XML'],
    ['a control character', '<a>\u0001</a>', 'MALFORMED_XML'],
    ['no text at all', '', 'EMPTY_FILE'],
    ['only a comment', '<!-- a -->', 'MALFORMED_XML'],
    ['a byte that is no UTF-8', Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e]), 'NOT_UTF8'],
    [
      'half a surrogate pair',
      Buffer.concat([utf16('<a>'), Buffer.from([0x00, 0xd8]), utf16('</a>').subarray(2)]),
      'MALFORMED_XML',
    ],
    ['an encoding that is not read', '<?xml version="1.0" encoding="UTF-7"?><a/>', 'UNSUPPORTED_ENCODING'],
    ['10,000 levels', `${'<a>'.repeat(10_000)}${'</a>'.repeat(10_000)}`, 'TOO_DEEP'],
    [
      '10,000 attributes',
      `<a ${Array.from({ length: 10_000 }, (_, at) => `b${at}=""`).join(' ')}/>`,
      'XML_TOO_LARGE',
    ],
  ])('with %s is refused by name', (_, content, code) => {
    expect(() => parse(content)).toThrow(expect.objectContaining({ code }));
    expect(() => parse(content, 3)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused at its limits of bytes and elements', () => {
    const limits = { ...xmlLimits, maxBytes: 100, maxElements: 5 };
    const read = (text: string): XmlElement => {
      const xml = new XmlDocument({ limits });
      xml.write(Buffer.from(text));
      return xml.end();
    };
    expect(read('<a><b/><b/><b/><b/></a>').children).toHaveLength(4);
    expect(() => read('<a><b/><b/><b/><b/><b/></a>')).toThrow(
      expect.objectContaining({ code: 'XML_TOO_LARGE' }),
    );
    expect(() => read(`<a>${' '.repeat(100)}</a>`)).toThrow(
      expect.objectContaining({ code: 'FILE_TOO_LARGE' }),
    );
  });

  it('does not hold what was taken, which then counts no more', () => {
    const taken: string[] = [];
    const take = ({ name, children }: XmlElement, around: readonly XmlElement[]): boolean => {
      if (name === 'b') taken.push(`${around.map((element) => element.name).join('/')} ${children.length}`);
      return name === 'b';
    };
    const xml = new XmlDocument({ limits: { ...xmlLimits, maxElements: 6 }, take });
    xml.write(Buffer.from(`<a><h/>${'<b><c/><c/></b>'.repeat(100)}</a>`));
    expect(xml.end().children.map(({ name }) => name)).toEqual(['h']);
    expect(new Set(taken)).toEqual(new Set(['a 2']));
    expect(taken).toHaveLength(100);
  });

  it('leaves out what is not wanted, and checks it all the same', () => {
    const isLeftOut = ({ name }: XmlElement): boolean => name === 'text';
    const read = (text: string): XmlElement => {
      const xml = new XmlDocument({ isLeftOut });
      xml.write(Buffer.from(text));
      return xml.end();
    };
    const root = read('<a>x<text>y<b>z</b></text><c/></a>');
    expect([root.text, root.children.map(({ name }) => name)]).toEqual(['x', ['c']]);
    expect(() => read('<a><text>&b;</text></a>')).toThrow(
      expect.objectContaining({ code: 'XML_ENTITY_REFUSED' }),
    );
  });
});
