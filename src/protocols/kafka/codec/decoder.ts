import { defaultCode, isNullable, layoutOf, leastBytes, methodName, type Named, type Version } from './layout.ts';
import type { Reader } from './reader.ts';
import type { Field, Fields } from './schema.ts';

export interface Decoder {
  readonly decode: (reader: Reader) => unknown;
  /** Names of fields, by the number that the reader holds while it reads them. */
  readonly paths: readonly string[];
}

/**
 * Makes the code that decodes one version of a message: one function a struct, one statement a field, so that the
 * engine sees straight lines and every struct is born in its final shape. The schema is the program's own data,
 * never a client's; only its numbers and field names get into the code.
 */
export function compileDecoder(fields: Fields, version: Version): Decoder {
  const functions: string[] = [];
  const paths: string[] = [];

  const declare = (body: readonly string[]): string => {
    const name = `f${functions.length}`;
    functions.push(`function ${name}(r) {\n${body.join('\n')}\n}`);
    return name;
  };

  const structFunction = (struct: Fields, path: string): string => {
    const { plain, tagged, absent } = layoutOf(struct, version);
    const variables = new Map(Object.keys(struct).map((name, i) => [name, `v${i}`]));
    const body: string[] = [];
    const at = ([name]: Named) => `r.at = ${paths.push(path + name) - 1};`;
    const inner = ([name, field]: Named) => valueCode(field, `${path}${name}`);
    for (const named of absent) body.push(`const ${variables.get(named[0])} = ${defaultCode(named[1])};`);
    for (const named of plain) body.push(`${at(named)} const ${variables.get(named[0])} = ${inner(named)};`);
    if (tagged.length > 0) {
      for (const [name, field] of tagged) body.push(`let ${variables.get(name)} = ${defaultCode(field)};`);
      body.push('for (let n = r.uvarint(); n > 0; n--) {', 'const tag = r.uvarint();', 'const end = r.openTag();');
      body.push('switch (tag) {');
      for (const named of tagged) {
        const assign = `${variables.get(named[0])} = ${inner(named)};`;
        body.push(`case ${named[1].tag}: ${at(named)} ${assign} r.closeTag(end); break;`);
      }
      body.push('default: r.skipTag(end);', '}', '}');
    } else if (version.flexible) {
      body.push('r.skipTags();');
    }
    const members = [...variables].map(([name, variable]) => `${name}: ${variable}`);
    body.push(`return { ${members.join(', ')} };`);
    return declare(body);
  };

  const arrayFunction = (field: Field, element: Field, path: string): string => {
    const value = valueCode(element, `${path}[]`);
    const nullable = isNullable(field, version);
    const count = methodName(nullable ? 'nullableCount' : 'count', version);
    return declare([
      `const n = r.${count}(${Math.max(1, leastBytes(element, version))});`,
      ...(nullable ? ['if (n < 0) return null;'] : []),
      'const list = new Array(n);',
      `for (let i = 0; i < n; i++) list[i] = ${value};`,
      'return list;',
    ]);
  };

  const valueCode = (field: Field, path: string): string => {
    const nullable = isNullable(field, version);
    switch (field.kind) {
      case 'string':
        return `r.${methodName(nullable ? 'nullableString' : 'string', version)}()`;
      case 'bytes':
      case 'records':
        return `r.${methodName(nullable ? 'nullableBytes' : 'bytes', version)}()`;
      case 'array':
        if (field.element === undefined) throw new TypeError(`${path}: an array without an element`);
        return `${arrayFunction(field, field.element, path)}(r)`;
      case 'struct': {
        const call = `${structFunction(field.fields ?? {}, `${path}.`)}(r)`;
        return nullable ? `(r.present() ? ${call} : null)` : call;
      }
      default:
        return `r.${field.kind}()`;
    }
  };

  const main = structFunction(fields, '');
  const make = new Function('noBytes', `'use strict';\n${functions.join('\n')}\nreturn ${main};`);
  return { decode: make(Buffer.alloc(0)), paths };
}
