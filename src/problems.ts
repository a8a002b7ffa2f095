import type { components } from '../generated/openapi.ts';

/** A refusal after RFC 9457. */
export type Problem = components['schemas']['Problem'];

/** Why a request is refused, for programs: the contract's table of codes. */
export type ErrorCode = Problem['code'];

/** What is wrong with an input, for programs: the contract's second table of codes. */
export type InputCode = components['schemas']['InputProblem']['code'];

/** The one status and title of each code. The compiler names the codes of the contract that are missing here. */
export const PROBLEMS: Readonly<Record<ErrorCode, { status: number; title: string }>> = {
  invalid: { status: 400, title: 'The input is not valid' },
  parse_error: { status: 400, title: 'The request cannot be read' },
  not_authenticated: { status: 401, title: 'Credentials are missing' },
  authentication_failed: { status: 401, title: 'The credentials are not good' },
  no_active_account: { status: 401, title: 'There is no such active account' },
  token_not_valid: { status: 401, title: 'The token is not good, or no longer' },
  bad_authorization_header: { status: 401, title: 'The Authorization header cannot be read' },
  user_not_found: { status: 401, title: 'The user of the token is gone' },
  user_inactive: { status: 401, title: 'The user of the token is inactive' },
  invalid_client: { status: 401, title: 'The credentials of the client are not good' },
  permission_denied: { status: 403, title: 'The caller may not do this' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'The path does not know the method' },
  not_acceptable: { status: 406, title: 'JSON is all there is' },
  idempotency_conflict: { status: 409, title: 'A request with this key is running' },
  precondition_failed: { status: 412, title: 'The object is not as the caller saw it' },
  request_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body is of a type that is not taken' },
  idempotency_key_reused: { status: 422, title: 'The key belongs to another request' },
  throttled: { status: 429, title: 'This was tried too often' },
  error: { status: 500, title: 'The service has a fault' },
  service_unavailable: { status: 503, title: 'The service is ill for the moment' },
};
