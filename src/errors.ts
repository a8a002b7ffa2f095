import { PROBLEMS } from './problems.ts';
import type { ErrorCode, InputCode } from './problems.ts';

/** One thing that is wrong with an input, for people and for programs: DRF's ErrorDetail. */
export interface Reason {
  detail: string;
  code: InputCode;
}

/** What is wrong, by field. On the wire it is DRF's `{field: [sentence, …]}`. */
export type FieldErrors = Record<string, Reason[]>;

/** For whoever runs the service: told as it stands, without a stack. */
export class OperatorError extends Error {}

interface ApiErrorOptions {
  /** DRF's body, where it is not `{detail}`. */
  body?: unknown;
  headers?: Record<string, string>;
  cause?: unknown;
}

/**
 * A refusal that the caller may read: by default as `body`, which goes out as it stands, or as a problem of `code` and
 * `detail`. `cause` goes to the log only. The subclasses carry the names and sentences of `rest_framework.exceptions`.
 */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
  readonly body: unknown;
  readonly headers: Record<string, string>;

  constructor(
    code: ErrorCode,
    detail: string,
    { body = { detail }, headers = {}, cause }: ApiErrorOptions = {},
  ) {
    super(JSON.stringify(body), { cause });
    this.name = new.target.name;
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.detail = detail;
    this.body = body;
    this.headers = headers;
  }
}

/** 400 for an input. */
export class ValidationError extends ApiError {
  readonly errors: FieldErrors;

  /** Without names the body is a list of sentences, which is how DRF tells the errors of its filters. */
  constructor(
    errors: FieldErrors,
    { withNames = true, cause }: { withNames?: boolean; cause?: unknown } = {},
  ) {
    const sentences = Object.entries(errors).map(
      ([field, reasons]) => [field, reasons.map(({ detail }) => detail)] as const,
    );
    const body = withNames
      ? Object.fromEntries(sentences)
      : sentences.flatMap(([, ofField]) => ofField);
    super('invalid', linesOf(errors).join(' '), { body, cause });
    this.errors = errors;
  }

  /** For a person at a terminal: `field: reasons`, a line each. */
  sentences(): string[] {
    return linesOf(this.errors);
  }
}

function linesOf(errors: FieldErrors): string[] {
  return Object.entries(errors).map(([field, reasons]) => {
    const text = reasons.map(({ detail }) => detail).join(' ');
    return field === 'non_field_errors' ? text : `${field}: ${text}`;
  });
}

/** Throws the reasons of all fields that have some, as one error. */
export function refuseProblems(problems: FieldErrors): void {
  const found = Object.entries(problems).filter(([, reasons]) => reasons.length > 0);
  if (found.length > 0) throw new ValidationError(Object.fromEntries(found));
}

export class ParseError extends ApiError {
  constructor(detail: string, options?: { cause?: unknown }) {
    super('parse_error', detail, options);
  }
}

/** 401 for credentials that were shown and are bad. The shell adds the challenge, unless `headers` has one. */
export class AuthenticationFailed extends ApiError {
  constructor(
    detail: string,
    { code = 'authentication_failed', ...options }: ApiErrorOptions & { code?: ErrorCode } = {},
  ) {
    super(code, detail, options);
  }
}

/** simplejwt's exception of this name: unlike DRF's, it tells its code in the body. */
export class DetailedAuthenticationFailed extends AuthenticationFailed {
  constructor(detail: string, code: ErrorCode, options: Pick<ApiErrorOptions, 'headers'> = {}) {
    super(detail, { code, body: { detail, code }, ...options });
  }
}

export class NotAuthenticated extends ApiError {
  constructor() {
    super('not_authenticated', 'Authentication credentials were not provided.');
  }
}

/** What one of simplejwt's token classes has against a token. */
export interface TokenFailure {
  token_class: string;
  token_type: string;
  message: string;
}

/** 401 with simplejwt's `token_not_valid`: the one error for every way in which a JWT can be bad. */
export class InvalidToken extends ApiError {
  constructor(detail: string, options: { messages?: TokenFailure[]; cause?: unknown } = {}) {
    const { messages, cause } = options;
    const body = { detail, code: 'token_not_valid', ...(messages && { messages }) };
    // A problem tells in one sentence what is told here by all of them.
    const reasons = new Set(messages?.map(({ message }) => message) ?? [detail]);
    super('token_not_valid', [...reasons].join('; '), { body, cause });
  }
}

export class PermissionDenied extends ApiError {
  constructor() {
    super('permission_denied', 'You do not have permission to perform this action.');
  }
}

export class NotFound extends ApiError {
  constructor(detail = 'Not found.') {
    super('not_found', detail);
  }
}

export class MethodNotAllowed extends ApiError {
  constructor(method: string) {
    super('method_not_allowed', `Method "${method}" not allowed.`);
  }
}

export class NotAcceptable extends ApiError {
  constructor() {
    super('not_acceptable', 'Could not satisfy the request Accept header.');
  }
}

/** 409 for a retry that came too early. */
export class IdempotencyConflict extends ApiError {
  constructor() {
    super('idempotency_conflict', 'A request with this idempotency key is still running.', {
      headers: { 'Retry-After': '1' },
    });
  }
}

/** 412: somebody else was faster. */
export class PreconditionFailed extends ApiError {
  constructor() {
    super(
      'precondition_failed',
      'The current version is not one that If-Match names: read it again.',
    );
  }
}

export class RequestTooLarge extends ApiError {
  constructor() {
    // The rest of the body is not read, so the connection cannot be used again.
    super('request_too_large', 'Request body is too large.', { headers: { Connection: 'close' } });
  }
}

export class UnsupportedMediaType extends ApiError {
  constructor(mediaType: string) {
    super('unsupported_media_type', `Unsupported media type "${mediaType}" in request.`);
  }
}

export class IdempotencyKeyReused extends ApiError {
  constructor() {
    super('idempotency_key_reused', 'This idempotency key was used for another request.');
  }
}

/** 429, to be tried again in so many seconds. */
export class Throttled extends ApiError {
  constructor(wait: number, headers: Record<string, string>) {
    const time = `${wait} second${wait === 1 ? '' : 's'}`;
    super('throttled', `Request was throttled. Expected available in ${time}.`, {
      headers: { 'Retry-After': String(wait), ...headers },
    });
  }
}

/** 503 for an illness of our own. */
export class ServiceUnavailable extends ApiError {
  constructor({ cause }: { cause?: unknown } = {}) {
    super('service_unavailable', 'Service temporarily unavailable, try again later.', {
      headers: { 'Retry-After': '1' },
      cause,
    });
  }
}
