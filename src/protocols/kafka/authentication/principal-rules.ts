import { BrokerError } from '../../../errors.ts';

/** `DEFAULT`, or `RULE:pattern/replacement/` with L or U after it; a slash within is written `\/`. */
const RULE = /\s*(?:(DEFAULT)|RULE:((?:\\.|[^\\/])*)\/((?:\\.|[^\\/])*)\/([LU]?))\s*(?:,|$)/y;

type Rule = (distinguishedName: string) => string | undefined;

/** How the distinguished name in a client's certificate becomes the name of its principal (KIP-371): the first rule that fits does it. */
export class PrincipalRules {
  readonly #rules: readonly Rule[];

  /** Throws `invalid-configuration`. */
  constructor(text: string) {
    const rules: Rule[] = [];
    RULE.lastIndex = 0;
    while (RULE.lastIndex < text.length) {
      const at = RULE.lastIndex;
      const [matched, isDefault, pattern = '', replacement = '', letters = ''] = RULE.exec(text) ?? [];
      if (matched === undefined) throw invalid(`it makes no sense from '${text.slice(at)}' on`);
      rules.push(isDefault === undefined ? rule(pattern, replacement, letters) : (name) => name);
    }
    this.#rules = rules;
  }

  /** Undefined when no rule fits. */
  nameOf(distinguishedName: string): string | undefined {
    for (const apply of this.#rules) {
      const name = apply(distinguishedName);
      if (name !== undefined) return name;
    }
    return undefined;
  }
}

function rule(pattern: string, replacement: string, letters: string): Rule {
  const whole = expression(`^(?:${pattern})$`, '');
  const each = expression(pattern, 'g');
  const by = replacement.replaceAll('\\/', '/');
  return (name) => {
    if (!whole.test(name)) return undefined;
    const replaced = name.replace(each, by);
    return letters === 'L' ? replaced.toLowerCase() : letters === 'U' ? replaced.toUpperCase() : replaced;
  };
}

function expression(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch (error) {
    throw invalid(`'${pattern}' is no regular expression`, error);
  }
}

function invalid(why: string, cause?: unknown): BrokerError {
  return new BrokerError(
    'invalid-configuration',
    `kafka.principalMappingRules wants DEFAULT and RULE:pattern/replacement/[LU] with commas between: ${why}`,
    { cause },
  );
}
