import { defaultCode, isNullable, layoutOf, methodName, type Named, type Version } from './layout.ts';
import { EMPTY, type Field, type Fields } from './schema.ts';
import type { Writer } from './writer.ts';

export interface Encoder {
  readonly encode: (writer: Writer, value: unknown) => void;
  /** Names of fields, by the number that the writer holds while it writes them. */
  readonly paths: readonly string[];
}

/** Makes the code that encodes one version of a message, in the manner of `compileDecoder`. */
export function compileEncoder(fields: Fields, version: Version): Encoder {
  const functions: string[] = [];
  const paths: string[] = [];

  const declare = (body: readonly string[]): string => {
    const name = `f${functions.length}`;
    functions.push(`function ${name}(w, s) {\n${body.join('\n')}\n}`);
    return name;
  };

  const structFunction = (struct: Fields, path: string): string => {
    const { plain, tagged } = layoutOf(struct, version);
    const body: string[] = [];
    const at = ([name]: Named) => `w.at = ${paths.push(path + name) - 1};`;
    plain.forEach((named, i) => {
      const [name, field] = named;
      if (field.optional) {
        body.push(`${at(named)} let v${i} = s.${name}; if (v${i} === undefined) v${i} = ${defaultCode(field)};`);
        body.push(valueCode(field, `v${i}`, path + name));
      } else {
        body.push(`${at(named)} ${valueCode(field, `s.${name}`, path + name)}`);
      }
    });
    if (tagged.length > 0) {
      tagged.forEach(([name, field], i) => {
        body.push(`const t${i} = s.${name}; const has${i} = t${i} !== undefined && ${differsCode(field, `t${i}`)};`);
      });
      body.push(`w.uvarint(${tagged.map((_, i) => `(has${i} ? 1 : 0)`).join(' + ')});`);
      tagged.forEach((named, i) => {
        body.push(`if (has${i}) { ${at(named)} w.uvarint(${named[1].tag}); const open = w.openTag();`);
        body.push(`${valueCode(named[1], `t${i}`, path + named[0])} w.closeTag(open); }`);
      });
    } else if (version.flexible) {
      body.push('w.uvarint(0);');
    }
    return declare(body);
  };

  const arrayFunction = (field: Field, path: string): string => {
    if (field.element === undefined) throw new TypeError(`${path}: an array without an element`);
    return declare([
      ...(isNullable(field, version) ? [`if (s === null) { ${nullCode(version)} return; }`] : []),
      `const n = w.${methodName('count', version)}(s);`,
      `for (let i = 0; i < n; i++) { ${valueCode(field.element, 's[i]', `${path}[]`)} }`,
    ]);
  };

  const valueCode = (field: Field, value: string, path: string): string => {
    const nullable = isNullable(field, version);
    switch (field.kind) {
      case 'string':
        return `w.${methodName(nullable ? 'nullableString' : 'string', version)}(${value});`;
      case 'bytes':
        return `w.${methodName(nullable ? 'nullableBytes' : 'bytes', version)}(${value});`;
      case 'records':
        return `w.${methodName(nullable ? 'nullableRecords' : 'records', version)}(${value});`;
      case 'array':
        return `${arrayFunction(field, path)}(w, ${value});`;
      case 'struct': {
        const call = `${structFunction(field.fields ?? {}, `${path}.`)}(w, ${value});`;
        return nullable ? `if (${value} === null) w.int8(-1); else { w.int8(1); ${call} }` : call;
      }
      default:
        return `w.${field.kind}(${value});`;
    }
  };

  const main = structFunction(fields, '');
  const make = new Function('noBytes', `'use strict';\n${functions.join('\n')}\nreturn ${main};`);
  return { encode: make(Buffer.alloc(0)), paths };
}

function nullCode(version: Version): string {
  return version.flexible ? 'w.uvarint(0);' : 'w.int32(-1);';
}

/** The JavaScript condition under which a tagged field is not at its default, and so has to be written. */
function differsCode(field: Field, value: string): string {
  if (field.default !== EMPTY) return `${value} !== ${JSON.stringify(field.default)}`;
  if (field.kind !== 'struct') return `${value}.length > 0`;
  const parts = Object.entries(field.fields ?? {}).map(([name, inner]) => {
    const part = `${value}.${name}`;
    return `(${part} !== undefined && ${differsCode(inner, part)})`;
  });
  return parts.length === 0 ? 'false' : `(${parts.join(' || ')})`;
}
