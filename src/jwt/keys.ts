import type { KeyObject } from 'node:crypto';
import type { Algorithm, Config } from '../config.ts';
import type { OperationResponse } from '../contract.ts';
import { OperatorError } from '../errors.ts';
import type { ManagedKey } from '../key-directory.ts';
import { thumbprint } from '../secrets.ts';

export interface VerificationKey {
  key: KeyObject;
  algorithm: Algorithm;
}

type Jwk = Extract<OperationResponse<'getJwks'>, { status: 200 }>['body']['keys'][number];

export interface Keyring {
  signing: KeyObject;
  algorithm: Algorithm;
  /** Undefined for the shared secret of the settings, which has no name. */
  kid: string | undefined;
  /** Header texts as they stand in a token (base64url) -> the keys they may stand for, each with its algorithm. */
  byHeader: ReadonlyMap<string, readonly VerificationKey[]>;
  /** The public keys of all tokens that are out. */
  published: Jwk[];
}

const keyrings = new WeakMap<Config, Keyring>();

/** The keys in use at this moment: ask at each use. */
export function keyring(config: Config): Keyring {
  return keyrings.get(config) ?? replaceKeyring(config, config.managedKeys);
}

/** From here on `keyring` answers with these keys, and with those of the settings. */
export function replaceKeyring(config: Config, managed: readonly ManagedKey[]): Keyring {
  const ring = buildKeyring(config, managed);
  keyrings.set(config, ring);
  return ring;
}

interface KnownKey extends VerificationKey {
  kid: string | undefined;
  /** Undefined where the key only verifies. */
  signing: KeyObject | undefined;
  /** Also stands for headers that name no key. */
  isDefault: boolean;
  isPublished: boolean;
}

function buildKeyring(config: Config, managed: readonly ManagedKey[]): Keyring {
  // The first one that can signs: the current key of the directory, or else that of the settings.
  const known = [...managed.map(fromDirectory), ...fromSettings(config)];
  const signer = known.find(({ signing }) => signing);
  if (!signer?.signing)
    throw new OperatorError('No key signs: KEYS_DIR has no current one, and SIGNING_KEY is unset.');
  const jwks = known.filter(({ isPublished }) => isPublished).flatMap(toJwk);
  return {
    signing: signer.signing,
    algorithm: signer.algorithm,
    kid: signer.kid,
    byHeader: indexByHeader(known),
    // A key may be in the directory and in the settings.
    published: [...new Map(jwks.map((jwk) => [jwk.kid, jwk])).values()],
  };
}

const fromDirectory = (entry: ManagedKey): KnownKey => ({
  kid: entry.kid,
  algorithm: entry.algorithm,
  key: entry.verifying,
  signing: entry.state === 'current' ? entry.signing : undefined,
  isDefault: entry.state === 'verify-only',
  isPublished: entry.state !== 'verify-only',
});

function fromSettings({ ALGORITHM, SIGNING_KEY, VERIFYING_KEY }: Config): KnownKey[] {
  if (!SIGNING_KEY || !VERIFYING_KEY) return [];
  return [
    {
      kid: VERIFYING_KEY.type === 'public' ? thumbprint(VERIFYING_KEY) : undefined,
      algorithm: ALGORITHM,
      key: VERIFYING_KEY,
      signing: SIGNING_KEY,
      isDefault: true,
      isPublished: true,
    },
  ];
}

function indexByHeader(known: KnownKey[]): Map<string, VerificationKey[]> {
  const index = new Map<string, VerificationKey[]>();
  for (const { key, algorithm, ...names } of known)
    for (const header of headersOf(algorithm, names)) {
      const text = Buffer.from(JSON.stringify(header)).toString('base64url');
      const others = index.get(text) ?? [];
      if (!others.some((other) => other.key.equals(key)))
        index.set(text, [...others, { key, algorithm }]);
    }
  return index;
}

// A header is compared as text with those that we or PyJWT write for a key. Nothing in a header of the
// caller's making is ever parsed: `none`, `kid`, `jku`, `jwk` and `crit` have no code to reach.
function headersOf(
  alg: Algorithm,
  { kid, isDefault }: Pick<KnownKey, 'kid' | 'isDefault'>,
): object[] {
  return [
    ...(isDefault
      ? [
          { alg, typ: 'JWT' },
          { typ: 'JWT', alg },
        ]
      : []),
    ...(kid === undefined ? [] : [{ alg, typ: 'JWT', kid }]),
  ];
}

/** Nothing for a shared secret, which is published to nobody. */
function toJwk({ key, kid, algorithm: alg }: KnownKey): Jwk[] {
  if (key.type !== 'public' || kid === undefined) return [];
  const { n, e, x, y } = key.export({ format: 'jwk' });
  if (alg === 'RS256') return [{ kty: 'RSA', kid, use: 'sig', alg, n, e }];
  if (alg === 'ES256') return [{ kty: 'EC', kid, use: 'sig', alg, crv: 'P-256', x, y }];
  return [];
}
