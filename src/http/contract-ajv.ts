import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Options } from 'ajv';
import addFormats from 'ajv-formats';
import type { DecimalLimits } from './coercion.ts';
import { parseDecimal } from './decimal.ts';
import { decimalProblem } from './validation.ts';

/** Ajv with the formats and keywords that the contract uses. */
export function contractAjv(options: Options | undefined): Ajv2020 {
  // What a value may be coerced from is DRF's business, not Ajv's: it would take 0x2 for a number.
  const ajv = addFormats.default(
    new Ajv2020({
      ...options,
      coerceTypes: false,
      useDefaults: false,
      // Linted when it was bundled, and what cannot be compiled is refused without them: they would be compiled
      // themselves for each operation, in a multiple of the time of the contract.
      meta: false,
      validateSchema: false,
    }),
  );
  ajv.addFormat('decimal', (text) => parseDecimal(text) !== undefined);
  ajv.addFormat('password', true);
  ajv.addKeyword({
    keyword: 'x-decimal',
    type: 'string',
    validate: (limits: DecimalLimits, text: string) => decimalProblem(text, limits) === undefined,
  });
  return ajv;
}
