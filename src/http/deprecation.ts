/** What the contract says of an operation that will go. */
export interface DocumentedDeprecation {
  deprecated?: boolean;
  /** A day, `2027-01-31`, from its first moment in UTC. */
  'x-deprecated-since'?: string;
  /** Likewise: from this day on the operation may be gone. */
  'x-sunset'?: string;
  externalDocs?: { url: string };
}

/** What every answer of the operation says about its end: Deprecation (RFC 9745) and Sunset (RFC 8594). */
export function deprecationHeaders(documented: DocumentedDeprecation): Record<string, string> {
  const since = dayOf(documented['x-deprecated-since']);
  const sunset = dayOf(documented['x-sunset']);
  if (!documented.deprecated || !since || !sunset) return {};
  const { externalDocs } = documented;
  return {
    Deprecation: `@${since.getTime() / 1000}`,
    Sunset: sunset.toUTCString(),
    ...(externalDocs && { Link: `<${externalDocs.url}>; rel="deprecation sunset"` }),
  };
}

/** What keeps the headers from being sent as the contract means them. */
export function deprecationProblems(documented: DocumentedDeprecation): (string | false)[] {
  const { deprecated = false, externalDocs } = documented;
  const named = (['x-deprecated-since', 'x-sunset'] as const).map((name) => ({
    name,
    text: documented[name],
    day: dayOf(documented[name]),
  }));
  if (!deprecated)
    return named.map(({ name, text }) => text !== undefined && `has ${name} but is not deprecated`);
  const [since, sunset] = named.map(({ day }) => day);
  return [
    ...named.map(({ name, day }) => !day && `is deprecated without a date, 2027-01-31, as ${name}`),
    // RFC 9745, 4: what is not yet deprecated cannot have ended.
    since !== undefined && sunset !== undefined && sunset < since && 'ends before it is deprecated',
    externalDocs !== undefined &&
      !/^[!#-;=?-~]+$/.test(externalDocs.url) &&
      'is deprecated with externalDocs whose url no Link can hold',
  ];
}

function dayOf(text: string | undefined): Date | undefined {
  const day = new Date(`${text}T00:00:00Z`);
  // JavaScript takes the 31st of February for the 3rd of March.
  const isDay = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(`${text}T`);
  return isDay ? day : undefined;
}
