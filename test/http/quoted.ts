/** A value for the title of a test: short, and with escapes for what a reader could not tell apart. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  const escaped = text.replace(/[^\x20-\x7e]| (?= )/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  if (escaped.length <= 70) return escaped;
  return `${escaped.slice(0, 50)}…${escaped.slice(-15)} (${text.length} characters)`;
}
