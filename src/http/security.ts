import type { Authorization, Caller, SecuritySchemes } from '../contract.ts';
import type { Account } from '../db.ts';
import type { RequestDeps } from '../deps.ts';
import { NotAuthenticated, PermissionDenied } from '../errors.ts';

/** What the contract says about the security of an operation. */
export interface SecurityRequirement {
  /** Schemes whose credentials are looked at; the contract's, those of users in the configured order. */
  schemes: readonly string[];
  permissions: readonly string[];
  /** The scheme whose challenge a 401 carries. */
  challengeScheme: string;
}

type Permission = (caller: Caller | null, method: string, config: RequestDeps['config']) => boolean;

const isUser = (caller: Caller | null): boolean => Boolean(caller?.user);
const isStaff = (caller: Caller | null): boolean => caller?.user?.is_staff === true;
const isSafe = (method: string): boolean => ['GET', 'HEAD', 'OPTIONS'].includes(method);

/**
 * Permission classes that look at the request alone: DRF's, and our own for clients and for what is configured.
 * A client is no user, so what users may do is not for it.
 */
const PERMISSIONS: Readonly<Record<string, Permission>> = {
  AllowAny: () => true,
  IsAuthenticated: isUser,
  IsAdminUser: isStaff,
  IsAdminUserOrClient: (caller) => isStaff(caller) || caller?.clientId !== undefined,
  IsAuthenticatedOrReadOnly: (caller, method) => isUser(caller) || isSafe(method),
  IsRegistrationOpen: (_caller, _method, { REGISTRATION }) => REGISTRATION,
};

/** Permission classes that look at the object as well. */
const OBJECT_PERMISSIONS: Readonly<Record<string, (user: Account, owner: number) => boolean>> = {
  IsOwnerOrStaff: (user, owner) => user.id === owner || user.is_staff,
};

export const knownPermissions = [...Object.keys(PERMISSIONS), ...Object.keys(OBJECT_PERMISSIONS)];

/** Whether a permission can hold for nobody in particular; such an operation must not demand credentials. */
export function admitsAnonymous(permissions: readonly string[]): boolean {
  const open = ['AllowAny', 'IsAuthenticatedOrReadOnly', 'IsRegistrationOpen'];
  return permissions.every((name) => open.includes(name));
}

export function needsObject(permissions: readonly string[]): boolean {
  return permissions.some((name) => Object.hasOwn(OBJECT_PERMISSIONS, name));
}

/**
 * Who sends a request, or null where nobody is needed. Bad credentials of a known scheme are refused
 * even where none are needed; those of an unknown one are as good as none (DRF).
 */
export async function authorize(
  { schemes, permissions }: SecurityRequirement,
  { authorization, method }: { authorization: string; method: string },
  known: SecuritySchemes,
  deps: RequestDeps,
): Promise<Caller | null> {
  let caller: Caller | null = null;
  const header = readAuthorization(authorization);
  for (const name of schemes) {
    caller = (await known[name]?.authenticate(header, deps)) ?? null;
    if (caller) break;
  }
  const isAllowed = permissions.every(
    (name) => PERMISSIONS[name]?.(caller, method, deps.config) ?? true,
  );
  // Where no scheme is looked at, credentials would not help (DRF).
  if (!isAllowed)
    throw caller || schemes.length === 0 ? new PermissionDenied() : new NotAuthenticated();
  return caller;
}

function readAuthorization(text: string): Authorization {
  const [keyword = '', ...words] = text.split(/[ \t]+/).filter(Boolean);
  return { keyword, words };
}

/** Throws PermissionDenied unless every object permission holds for the user and the object's owner. */
export function authorizeObject(
  permissions: readonly string[],
  user: Account | null,
  owner: number,
): void {
  if (!user) throw new NotAuthenticated();
  const isAllowed = permissions.every((name) => OBJECT_PERMISSIONS[name]?.(user, owner) ?? true);
  if (!isAllowed) throw new PermissionDenied();
}
