export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

export interface SampleRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  /** Sent as JSON. */
  body: JsonObject | undefined;
  /** Whether the answer that is hoped for has a body. */
  isAnswered: boolean;
}

// Each is a whole program that prints the answer, and fails where it is a refusal. (The snippets of @readme/httpsnippet
// read JSON out of an empty 204, and end well whatever happened.)

export function toCurl({ method, url, headers, body }: SampleRequest): string {
  const line = body && JSON.stringify(body);
  const data = line && line.length > WIDTH ? JSON.stringify(body, null, 2) : line;
  const request = method === 'GET' ? '' : ` --request ${method}`;
  return [
    `curl --fail-with-body${request} ${url}`,
    ...Object.entries(headers).map(([name, value]) => `--header ${quoted(`${name}: ${value}`)}`),
    ...(data === undefined ? [] : [`--data ${quoted(data)}`]),
  ].join(' \\\n  ');
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

export function toTypeScript({ method, url, headers, body, isAnswered }: SampleRequest): string {
  const options = [
    ...(method === 'GET' ? [] : [`  method: '${method}',`]),
    ...(Object.keys(headers).length > 0 ? [`  headers: ${literal(headers, SCRIPT, '  ')},`] : []),
    ...(body ? [`  body: JSON.stringify(${literal(body, SCRIPT, '  ')}),`] : []),
  ];
  const init = options.length > 0 ? `, {\n${options.join('\n')}\n}` : '';
  return `const response = await fetch('${url}'${init});
if (!response.ok) throw new Error(\`\${response.status}: \${await response.text()}\`);
console.log(${isAnswered ? 'await response.json()' : 'response.status'});
`;
}

export function toPython({ method, url, headers, body, isAnswered }: SampleRequest): string {
  const options = [
    ...(Object.keys(headers).length > 0
      ? [`    headers=${literal(headers, PYTHON, '    ')},`]
      : []),
    ...(body ? [`    json=${literal(body, PYTHON, '    ')},`] : []),
  ];
  return `import requests

response = requests.${method.toLowerCase()}(
    "${url}",
${options.map((option) => `${option}\n`).join('')}    timeout=10,
)
response.raise_for_status()
print(${isAnswered ? 'response.json()' : 'response.status_code'})
`;
}

export function toGo({ method, url, headers, body, isAnswered }: SampleRequest): string {
  const imports = ['fmt', ...(isAnswered ? ['io'] : []), 'log', 'net/http'];
  if (body) imports.push('strings');
  const data = body && `\tbody := strings.NewReader(${raw(JSON.stringify(body, null, 2))})\n`;
  const set = Object.entries(headers).map(([name, value]) => {
    return `\trequest.Header.Set(${JSON.stringify(name)}, ${JSON.stringify(value)})\n`;
  });
  return `package main

import (
${imports.map((name) => `\t"${name}"\n`).join('')})

func main() {
${data ?? ''}\trequest, err := http.NewRequest("${method}", "${url}", ${body ? 'body' : 'nil'})
\tif err != nil {
\t\tlog.Fatal(err)
\t}
${set.join('')}
\tresponse, err := http.DefaultClient.Do(request)
\tif err != nil {
\t\tlog.Fatal(err)
\t}
\tdefer response.Body.Close()
\tif response.StatusCode >= 400 {
\t\tlog.Fatal(response.Status)
\t}
${isAnswered ? GO_ANSWER : '\tfmt.Println(response.Status)\n'}}
`;
}

const GO_ANSWER = `\tanswer, err := io.ReadAll(response.Body)
\tif err != nil {
\t\tlog.Fatal(err)
\t}
\tfmt.Println(string(answer))
`;

const raw = (text: string): string => (text.includes('`') ? JSON.stringify(text) : `\`${text}\``);

interface Notation {
  words: Record<'true' | 'false' | 'null', string>;
  text: (value: string) => string;
  key: (name: string) => string;
  /** What stands inside the braces of an object on one line. */
  padding: string;
}

const scriptText = (value: string): string =>
  `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
const SCRIPT: Notation = {
  words: { true: 'true', false: 'false', null: 'null' },
  text: scriptText,
  key: (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : scriptText(name)),
  padding: ' ',
};
const PYTHON: Notation = {
  words: { true: 'True', false: 'False', null: 'None' },
  text: (value) => JSON.stringify(value),
  key: (name) => JSON.stringify(name),
  padding: '',
};

const WIDTH = 70;

function literal(value: Json, notation: Notation, indent: string): string {
  if (typeof value === 'string') return notation.text(value);
  if (typeof value === 'number') return String(value);
  if (value === null || typeof value === 'boolean') return notation.words[`${value}`];
  const isList = Array.isArray(value);
  const step = `${indent}${notation === PYTHON ? '    ' : '  '}`;
  const parts = isList
    ? value.map((item) => literal(item, notation, step))
    : Object.entries(value).map(
        ([name, item]) => `${notation.key(name)}: ${literal(item, notation, step)}`,
      );
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (parts.length === 0) return `${open}${close}`;
  const padding = isList ? '' : notation.padding;
  const line = `${open}${padding}${parts.join(', ')}${padding}${close}`;
  if (line.length <= WIDTH && !line.includes('\n')) return line;
  return `${open}\n${parts.map((part) => `${step}${part},\n`).join('')}${indent}${close}`;
}
