import { createHmac, createPublicKey } from 'node:crypto';
import test from 'ava';
import type { Config } from '../../src/config.ts';
import { InvalidToken } from '../../src/errors.ts';
import { decodeToken, signToken } from '../../src/jwt/codec.ts';
import { keyring } from '../../src/jwt/keys.ts';
import { newSigningKey } from '../../src/secrets.ts';
import { testConfig } from '../support/config.ts';
import { encode, forgeToken, textsOf, withSignature } from './forge.ts';

const NOW = 1_795_435_200;
const CLAIMS = {
  token_type: 'access',
  exp: NOW + 300,
  iat: NOW,
  jti: '01a208cb601a71bc862023e645857ef8',
  user_id: '1',
};

const configs = (['HS256', 'HS384', 'HS512', 'RS256', 'ES256'] as const).map((ALGORITHM) =>
  testConfig({ ALGORITHM, SIGNING_KEY: newSigningKey(ALGORITHM) }),
);
const config = testConfig();
const HEADER = '{"alg":"HS256","typ":"JWT"}';

const decode = (token: string, by: Config = config, seconds = NOW): object =>
  decodeToken(token, { config: by, now: () => new Date(seconds * 1000) });

/** What a token is: 'accepted', or the sentence of its refusal. Any other error fails the test. */
function verdict(token: string, by: Config = config, seconds = NOW): string {
  try {
    decode(token, by, seconds);
    return 'accepted';
  } catch (error) {
    if (error instanceof InvalidToken) return error.detail;
    throw error;
  }
}

const forge = (payload: string | Buffer): string => forgeToken(HEADER, payload, config);
const claiming = (claims: object): string => forge(JSON.stringify({ ...CLAIMS, ...claims }));

for (const by of configs) {
  const { ALGORITHM: alg } = by;

  test(`what ${alg} signed is read as it was`, (t) => {
    const claims = { ...CLAIMS, name: 'Zoë \u{1f680}', roles: ['a', { b: null }], big: 1e300 };

    t.deepEqual(decode(signToken(claims, by), by), claims);
  });

  test(`${alg} is named by our header and by PyJWT's, in either order of members`, (t) => {
    for (const header of [`{"alg":"${alg}","typ":"JWT"}`, `{"typ":"JWT","alg":"${alg}"}`])
      t.deepEqual(decode(forgeToken(header, JSON.stringify(CLAIMS), by), by), CLAIMS, header);
  });

  test(`a header of ${alg} that nobody writes is refused, though rightly signed`, (t) => {
    const { kid } = keyring(by);
    const other = alg === 'HS256' ? 'HS384' : 'HS256';
    const headers = [
      { alg: 'none', typ: 'JWT' },
      { alg: other, typ: 'JWT' },
      { alg: alg.toLowerCase(), typ: 'JWT' },
      { alg: `${alg} `, typ: 'JWT' },
      { alg: [alg], typ: 'JWT' },
      { alg: null, typ: 'JWT' },
      { alg },
      { typ: 'JWT' },
      { alg, typ: 'jwt' },
      { alg, typ: 'dpop+jwt' },
      { alg, typ: 'JWT', kid: 'another' },
      { alg, typ: 'JWT', kid: null },
      { kid: kid ?? 'k1', alg, typ: 'JWT' },
      { alg, typ: 'JWT', cty: 'JWT' },
      { alg, typ: 'JWT', crit: ['exp'] },
      { alg, typ: 'JWT', b64: true },
      { alg, typ: 'JWT', jku: 'https://attacker.example/jwks.json' },
      { alg, typ: 'JWT', jwk: by.VERIFYING_KEY?.export({ format: 'jwk' }) },
      {},
    ].map((header) => JSON.stringify(header));
    const texts = [
      `{"alg":"${alg}", "typ":"JWT"}`,
      ` {"alg":"${alg}","typ":"JWT"}`,
      `{"alg":"${alg}","typ":"JWT"}\n`,
      `{"alg":"none","alg":"${alg}","typ":"JWT"}`,
      `{"alg":"${alg}","typ":"JW\\u0054"}`,
      '',
      'null',
    ];

    for (const header of [...headers, ...texts])
      t.is(verdict(forgeToken(header, JSON.stringify(CLAIMS), by), by), 'Token is invalid', header);
  });
}

test('our tokens name their asymmetric key, and keep still about a secret', (t) => {
  const headers = configs.map((by) => textsOf(signToken(CLAIMS, by))[0]);

  t.deepEqual(
    headers,
    configs.map((by) => {
      const { kid } = keyring(by);
      return JSON.stringify({ alg: by.ALGORITHM, typ: 'JWT', ...(kid !== undefined && { kid }) });
    }),
  );
  t.is(headers.filter((header) => header?.includes('kid')).length, 2);
});

test('a token of another key is refused', (t) => {
  for (const by of configs) {
    const { ALGORITHM } = by;
    const stranger = testConfig({ ALGORITHM, SIGNING_KEY: newSigningKey(ALGORITHM) });
    const token = forgeToken(`{"alg":"${ALGORITHM}","typ":"JWT"}`, '{"exp":1}', stranger);

    t.is(verdict(token, by, 0), 'Token is invalid', ALGORITHM);
  }
});

test('a public key is no HMAC secret', (t) => {
  for (const by of configs.filter(({ ALGORITHM }) => !ALGORITHM.startsWith('HS'))) {
    const pem = createPublicKey(keyring(by).signing).export({ type: 'spki', format: 'pem' });
    for (const header of [HEADER, textsOf(signToken(CLAIMS, by))[0] ?? '']) {
      const data = `${encode(header)}.${encode(JSON.stringify(CLAIMS))}`;
      const signature = createHmac('sha256', pem).update(data).digest('base64url');

      t.is(verdict(`${data}.${signature}`, by), 'Token is invalid', header);
    }
  }
});

test('what is not three parts of canonical base64url is refused', (t) => {
  const token = signToken({ ...CLAIMS, name: '>>>???' }, config);
  const [header = '', payload = '', signature = ''] = token.split('.');
  t.is(payload.length % 4, 3, 'the payload has bits that are not used');

  t.is(verdict(token), 'accepted');
  for (const other of [
    '',
    '..',
    header,
    `${header}.${payload}`,
    `${header}.${payload}.`,
    `${header}..${signature}`,
    `.${payload}.${signature}`,
    `${token}.`,
    `.${token}`,
    `${token}.${signature}`,
    `${token}=`,
    `${header}.${payload}=.${signature}`,
    `${header}=.${payload}.${signature}`,
    `${header}.${payload.replaceAll('_', '/').replaceAll('-', '+')}.${signature}`,
    `${header}.${twinOf(payload)}.${signature}`,
    `${header}.${payload}.${twinOf(signature)}`,
    ` ${token}`,
    `${token}\n`,
    `${header}.${payload.slice(0, 8)}\n${payload.slice(8)}.${signature}`,
    `"${token}"`,
    token.replaceAll('.', '%2e'),
    token.toLowerCase(),
  ])
    t.is(verdict(other), 'Token is invalid', JSON.stringify(other));
});

test('a payload in other base64url than the canonical one is refused, though rightly signed', (t) => {
  const payload = encode(JSON.stringify({ ...CLAIMS, name: '>>>???' }));
  const signed = (part: string): string => withSignature(`${encode(HEADER)}.${part}`, config);

  t.is(verdict(signed(payload)), 'accepted');
  for (const part of [
    `${payload}=`,
    twinOf(payload),
    payload.replaceAll('_', '/').replaceAll('-', '+'),
    ` ${payload}`,
    `${payload}!`,
    JSON.stringify(CLAIMS),
  ])
    t.is(verdict(signed(part)), 'Token is invalid', part);
});

// Another last character for the same bytes: its low bits are not used.
function twinOf(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return part.slice(0, -1) + alphabet[alphabet.indexOf(part.at(-1) ?? '') ^ 1];
}

test('of all spellings of a payload the canonical one alone is accepted', (t) => {
  const json = JSON.stringify(CLAIMS);
  const append = (members: string): string => `${json.slice(0, -1)},${members}}`;

  t.is(verdict(forge(append('"x":1'))), 'accepted');
  for (const text of [
    ` ${json}`,
    `${json}\n`,
    json.replace(':', ': '),
    json.replace('{', '{"user_id":"2",'),
    json.replace('{', '{"exp":1,'),
    append('"exp":1795435500'),
    append('"x":1e400'),
    append('"x":-0'),
    append('"x":1.0'),
    append('"x":1E2'),
    append('"x":100000000000000000001'),
    append('"x":"\\/"'),
    append('"x":"\\u0041"'),
    append('"x":"\\u00EB"'),
    append('"x":"\\u000a"'),
    append('"\\u0078":1'),
    append('"x":"\\u00eb ë"'),
    append('"2":1,"1":1'),
  ])
    t.is(verdict(forge(text)), 'Token is invalid', text);
});

test('text beyond ASCII is accepted as it stands, and as Python escapes it', (t) => {
  const claims = { ...CLAIMS, name: 'Zoë', sign: '\u{1f680}\u2028', 'clé\u007f': '"\\\n\ud800' };
  const json = JSON.stringify(claims);
  const escaped = json
    .replaceAll('ë', '\\u00eb')
    .replaceAll('\u{1f680}\u2028', '\\ud83d\\ude80\\u2028')
    .replaceAll('é\u007f', '\\u00e9\\u007f');

  t.deepEqual(decode(forge(json)), claims);
  t.deepEqual(decode(forge(escaped)), claims);
});

test('a payload that is no JSON object in UTF-8 is refused', (t) => {
  const json = JSON.stringify(CLAIMS);
  for (const payload of [
    '"text"',
    'null',
    '[]',
    '1',
    'true',
    '',
    '{"exp":',
    json.replace('{', '{/**/'),
    json.replace(/\d{10}/, 'NaN'),
    `\ufeff${json}`,
    Buffer.from(json, 'utf16le'),
    Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xff]), Buffer.from('"}')]),
    Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
  ])
    t.is(verdict(forge(payload)), 'Token is invalid', String(payload));
});

test('a claim with the name of a member of every object is a claim as any other', (t) => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'toJSON'];
  for (const name of names) {
    const json = JSON.stringify(CLAIMS).replace('{', `{"${name}":{"is_staff":true},`);
    const claims = decode(forge(json));

    t.is(textsOf(signToken({ ...claims }, config))[1], json);
    t.false('is_staff' in claims);
  }
});

test('a token of 4,096 characters is accepted, a longer one is not', (t) => {
  const room = 3011 - JSON.stringify({ ...CLAIMS, x: '' }).length;

  for (const [filler, length, expected] of [
    [room, 4096, 'accepted'],
    [room + 1, 4097, 'Token is invalid'],
  ] as const) {
    const token = claiming({ x: 'x'.repeat(filler) });
    t.is(token.length, length);
    t.is(verdict(token), expected);
  }
});

test('a token is good before the second of its exp, and from its iat and nbf on', (t) => {
  for (const [claims, seconds, expected] of [
    [{ exp: NOW }, NOW - 0.001, 'accepted'],
    [{ exp: NOW }, NOW, 'Token is expired'],
    [{ exp: NOW }, NOW + 1, 'Token is expired'],
    [{ exp: NOW + 0.9 }, NOW - 0.001, 'accepted'],
    [{ exp: NOW + 0.9 }, NOW, 'Token is expired'],
    [{ exp: 0 }, NOW, 'Token is expired'],
    [{ exp: -1 }, NOW, 'Token is expired'],
    [{ iat: NOW }, NOW, 'accepted'],
    [{ iat: NOW }, NOW - 0.001, 'Token is invalid'],
    [{ iat: NOW + 0.5 }, NOW, 'Token is invalid'],
    [{ nbf: NOW }, NOW, 'accepted'],
    [{ nbf: NOW }, NOW - 0.001, 'Token is invalid'],
    [{ iat: NOW + 1, exp: NOW - 1 }, NOW, 'Token is invalid'],
  ] as const)
    t.is(
      verdict(claiming({ iat: NOW - 60, ...claims }), config, seconds),
      expected,
      `${JSON.stringify(claims)} at ${seconds}`,
    );
});

test('LEEWAY moves every bound by its seconds, and no further', (t) => {
  const lenient = testConfig({ LEEWAY: 5 });

  for (const [claims, seconds, expected] of [
    [{ exp: NOW }, NOW + 4.999, 'accepted'],
    [{ exp: NOW }, NOW + 5, 'Token is expired'],
    [{ iat: NOW }, NOW - 5, 'accepted'],
    [{ iat: NOW }, NOW - 5.001, 'Token is invalid'],
    [{ nbf: NOW }, NOW - 5, 'accepted'],
    [{ nbf: NOW }, NOW - 5.001, 'Token is invalid'],
  ] as const)
    t.is(
      verdict(claiming({ iat: NOW - 60, ...claims }), lenient, seconds),
      expected,
      `${JSON.stringify(claims)} at ${seconds}`,
    );
});

test('a time that is no number within the calendar is refused, whatever the clock says', (t) => {
  for (const name of ['exp', 'iat', 'nbf'])
    for (const value of [
      null,
      true,
      '',
      String(NOW),
      'never',
      [],
      {},
      [NOW],
      1e308,
      253_402_300_800,
      -62_135_596_801,
    ])
      for (const seconds of [0, NOW, 4_000_000_000])
        t.is(
          verdict(claiming({ [name]: value }), config, seconds),
          'Token is invalid',
          `${name} ${JSON.stringify(value)}`,
        );
});

test('exp, iat and nbf may be missing here: who needs one asks for it', (t) => {
  t.deepEqual(decode(forge('{"jti":"a"}')), { jti: 'a' });
});

test('a jti is text that a column holds, and sub is text', (t) => {
  for (const [claims, expected] of [
    [{ jti: 'a'.repeat(255) }, 'accepted'],
    [{ jti: "'; DROP TABLE users;--" }, 'accepted'],
    [{ jti: 'a'.repeat(256) }, 'Token is invalid'],
    [{ jti: '' }, 'Token is invalid'],
    [{ jti: 'a\0' }, 'Token is invalid'],
    [{ jti: '\ud800' }, 'Token is invalid'],
    [{ jti: 1 }, 'Token is invalid'],
    [{ jti: null }, 'Token is invalid'],
    [{ jti: ['a'] }, 'Token is invalid'],
    [{ sub: '1' }, 'accepted'],
    [{ sub: 1 }, 'Token is invalid'],
    [{ sub: null }, 'Token is invalid'],
  ] as const)
    t.is(verdict(claiming(claims)), expected, JSON.stringify(claims));
});

test('AUDIENCE and ISSUER are written into every token and demanded of it', (t) => {
  const strict = testConfig({ AUDIENCE: 'shop', ISSUER: 'https://auth.example' });
  const right = { aud: 'shop', iss: 'https://auth.example' };

  t.deepEqual(decode(signToken({ ...CLAIMS, aud: 'old', iss: 'old' }, strict), strict), {
    ...CLAIMS,
    ...right,
  });
  for (const [claims, expected] of [
    [right, 'accepted'],
    [{ ...right, aud: ['other', 'shop'] }, 'accepted'],
    [{ ...right, aud: undefined }, 'Token is invalid'],
    [{ ...right, aud: 'other' }, 'Token is invalid'],
    [{ ...right, aud: ['other', 'shops'] }, 'Token is invalid'],
    [{ ...right, aud: [['shop']] }, 'Token is invalid'],
    [{ ...right, aud: null }, 'Token is invalid'],
    [{ ...right, iss: undefined }, 'Token is invalid'],
    [{ ...right, iss: 'https://auth.example/' }, 'Token is invalid'],
    [{ ...right, iss: ['https://auth.example'] }, 'Token is invalid'],
    [{ ...right, iss: null }, 'Token is invalid'],
  ] as const)
    t.is(verdict(claiming(claims), strict), expected, JSON.stringify(claims));
});

test('without AUDIENCE and ISSUER nobody looks at aud and iss', (t) => {
  for (const claims of [{ aud: 'other' }, { iss: 'other' }, { aud: 1, iss: null }])
    t.is(verdict(claiming(claims)), 'accepted', JSON.stringify(claims));
});

// All characters of a token, and some that are none.
const CHARACTERS = [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0é\u200b',
];

test('of all edits of a single character of a token none is accepted', (t) => {
  const token = signToken(CLAIMS, config);
  const edits = new Set<string>();
  for (let index = 0; index <= token.length; index += 1) {
    const [before, after] = [token.slice(0, index), token.slice(index)];
    edits.add(before + after.slice(1));
    for (const character of CHARACTERS) {
      edits.add(before + character + after.slice(1));
      edits.add(before + character + after);
    }
  }
  edits.delete(token);

  t.true(edits.size > 5000, `${edits.size} edits`);
  t.deepEqual(
    [...edits].filter((edit) => verdict(edit) !== 'Token is invalid'),
    [],
  );
});

test('of all changes of one character of an asymmetrically signed token none is accepted', (t) => {
  for (const by of configs.filter(({ ALGORITHM }) => !ALGORITHM.startsWith('HS'))) {
    const token = signToken(CLAIMS, by);
    const accepted = [...token].flatMap((character, index) => {
      const edit = token.slice(0, index) + (character === 'A' ? 'B' : 'A') + token.slice(index + 1);
      return verdict(edit, by) === 'accepted' ? [edit] : [];
    });

    t.deepEqual(accepted, [], by.ALGORITHM);
  }
});
