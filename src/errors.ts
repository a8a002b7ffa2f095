/** What a field-level refusal looks like on the wire: DRF's `{field: [sentence, …]}`. */
export type FieldErrors = Record<string, string[]>;

/** For whoever runs the service: told as it stands, without a stack. */
export class OperatorError extends Error {}

interface ApiErrorOptions {
  code?: string;
  headers?: Record<string, string>;
  cause?: unknown;
}

/**
 * A refusal that the caller may read. `body` goes out as it stands, `cause` goes to the log only.
 * The subclasses carry the names and sentences of `rest_framework.exceptions`.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Record<string, string>;

  constructor(status: number, body: unknown, { headers = {}, cause }: ApiErrorOptions = {}) {
    super(JSON.stringify(body), { cause });
    this.name = new.target.name;
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

function detailBody(detail: string, code: string | undefined): object {
  return code === undefined ? { detail } : { detail, code };
}

/** 400. A list is DRF's answer for an error that belongs to no field. */
export class ValidationError extends ApiError {
  constructor(errors: FieldErrors | string[], options?: ApiErrorOptions) {
    super(400, errors, options);
  }

  /** For a person at a terminal: `field: reasons`, a line each. */
  sentences(): string[] {
    return Object.entries(this.body ?? {}).map(
      ([field, reasons]) => `${field}: ${[reasons].flat().join(' ')}`,
    );
  }
}

/** Throws the reasons of all fields that have some, as one error. */
export function refuseProblems(problems: FieldErrors): void {
  const found = Object.entries(problems).filter(([, reasons]) => reasons.length > 0);
  if (found.length > 0) throw new ValidationError(Object.fromEntries(found));
}

export class ParseError extends ApiError {
  constructor(detail: string, options?: ApiErrorOptions) {
    super(400, { detail }, options);
  }
}

/** 401 for credentials that were shown and are bad. The shell adds the challenge, unless `headers` has one. */
export class AuthenticationFailed extends ApiError {
  constructor(detail: string, options: ApiErrorOptions = {}) {
    super(401, detailBody(detail, options.code), options);
  }
}

export class NotAuthenticated extends ApiError {
  constructor() {
    super(401, { detail: 'Authentication credentials were not provided.' });
  }
}

/** 401 with simplejwt's `token_not_valid`: the one error for every way in which a JWT can be bad. */
export class InvalidToken extends ApiError {
  readonly detail: string;

  constructor(detail: string, options: ApiErrorOptions & { messages?: object[] } = {}) {
    const messages = options.messages && { messages: options.messages };
    super(401, { detail, code: 'token_not_valid', ...messages }, options);
    this.detail = detail;
  }
}

export class PermissionDenied extends ApiError {
  constructor() {
    super(403, { detail: 'You do not have permission to perform this action.' });
  }
}

export class NotFound extends ApiError {
  constructor(detail = 'Not found.') {
    super(404, { detail });
  }
}

export class MethodNotAllowed extends ApiError {
  constructor(method: string) {
    super(405, { detail: `Method "${method}" not allowed.` });
  }
}

export class NotAcceptable extends ApiError {
  constructor() {
    super(406, { detail: 'Could not satisfy the request Accept header.' });
  }
}

/** 409 for a retry that came too early. */
export class IdempotencyConflict extends ApiError {
  constructor() {
    super(
      409,
      { detail: 'A request with this idempotency key is still running.' },
      { headers: { 'Retry-After': '1' } },
    );
  }
}

/** 412: somebody else was faster. */
export class PreconditionFailed extends ApiError {
  constructor() {
    super(412, { detail: 'The current version is not one that If-Match names: read it again.' });
  }
}

export class RequestTooLarge extends ApiError {
  constructor() {
    // The rest of the body is not read, so the connection cannot be used again.
    super(413, { detail: 'Request body is too large.' }, { headers: { Connection: 'close' } });
  }
}

export class UnsupportedMediaType extends ApiError {
  constructor(mediaType: string) {
    super(415, { detail: `Unsupported media type "${mediaType}" in request.` });
  }
}

export class IdempotencyKeyReused extends ApiError {
  constructor() {
    super(422, { detail: 'This idempotency key was used for another request.' });
  }
}

/** 503 for an illness of our own. */
export class ServiceUnavailable extends ApiError {
  constructor({ cause }: { cause?: unknown } = {}) {
    super(
      503,
      { detail: 'Service temporarily unavailable, try again later.' },
      { headers: { 'Retry-After': '1' }, cause },
    );
  }
}
