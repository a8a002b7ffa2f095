import type { RequestOptions } from '../support/client.ts';

/** Requests that name no token, or give a hint that is none, and why they are refused. */
export const BAD_QUESTIONS: [options: RequestOptions, body: object][] = [
  [{}, { token: ['This field is required.'] }],
  [{ json: {} }, { token: ['This field is required.'] }],
  [{ form: { token_type_hint: 'x' } }, { token: ['This field is required.'] }],
  [{ json: { token: '' } }, { token: ['This field may not be blank.'] }],
  [{ form: { token: '' } }, { token: ['This field may not be blank.'] }],
  [{ json: { token: '  ' } }, { token: ['This field may not be blank.'] }],
  [{ json: { token: null } }, { token: ['This field may not be null.'] }],
  [{ json: { token: ['x'] } }, { token: ['Not a valid string.'] }],
  [{ json: { token: true } }, { token: ['Not a valid string.'] }],
  [{ json: { token: 'a\0' } }, { token: ['Null characters are not allowed.'] }],
  [{ json: { token: '\ud800' } }, { token: ['Surrogate characters are not allowed: U+D800.'] }],
  [{ json: { token: 'x', token_type_hint: [] } }, { token_type_hint: ['Not a valid string.'] }],
  [
    { json: { token: 'x', token_type_hint: null } },
    { token_type_hint: ['This field may not be null.'] },
  ],
  [{ json: ['x'] }, { non_field_errors: ['Invalid data. Expected a dictionary, but got list.'] }],
  [{ json: 'x' }, { non_field_errors: ['Invalid data. Expected a dictionary, but got str.'] }],
];
