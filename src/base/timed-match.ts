import { createContext, Script, type Context } from 'node:vm';

import { errorCode } from './errors.ts';
import type { Limit } from './limits.ts';

const script = new Script('pattern.test(text)');
let context: Context | undefined;

/**
 * Whether a pattern of the user's matches, which may take it for ever on some texts; undefined when it takes longer than the
 * limit. Nothing else goes on meanwhile.
 */
export function matchWithin(pattern: RegExp, text: string, limit: Limit): boolean | undefined {
  context ??= createContext({});
  Object.assign(context, { pattern, text });
  try {
    return script.runInContext(context, { timeout: limit.value }) as boolean;
  } catch (error) {
    if (errorCode(error) === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  }
}
