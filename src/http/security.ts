import type { SecuritySchemes } from '../contract.ts';
import type { Account } from '../db.ts';
import type { RequestDeps } from '../deps.ts';
import { NotAuthenticated, PermissionDenied } from '../errors.ts';

/** What the contract says about the security of an operation. */
export interface SecurityRequirement {
  /** Schemes whose credentials are looked at; the contract's, in the configured order. */
  schemes: readonly string[];
  permissions: readonly string[];
  /** The scheme whose challenge a 401 carries. */
  challengeScheme: string;
}

type Permission = (user: Account | null, method: string, config: RequestDeps['config']) => boolean;

const isSafe = (method: string): boolean => ['GET', 'HEAD', 'OPTIONS'].includes(method);

/** Permission classes that look at the request alone: DRF's, and our own for what is configured. */
const PERMISSIONS: Readonly<Record<string, Permission>> = {
  AllowAny: () => true,
  IsAuthenticated: (user) => user !== null,
  IsAdminUser: (user) => user?.is_staff === true,
  IsAuthenticatedOrReadOnly: (user, method) => user !== null || isSafe(method),
  IsRegistrationOpen: (_user, _method, { REGISTRATION }) => REGISTRATION,
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
 * The user of a request, or null where nobody is needed. Bad credentials of a known scheme are refused
 * even where none are needed; those of an unknown one are as good as none (DRF).
 */
export async function authorize(
  { schemes, permissions }: SecurityRequirement,
  { authorization, method }: { authorization: string; method: string },
  known: SecuritySchemes,
  deps: RequestDeps,
): Promise<Account | null> {
  let user: Account | null = null;
  for (const name of schemes) {
    user = (await known[name]?.authenticate(authorization, deps)) ?? null;
    if (user) break;
  }
  const isAllowed = permissions.every(
    (name) => PERMISSIONS[name]?.(user, method, deps.config) ?? true,
  );
  // Where no scheme is looked at, credentials would not help (DRF).
  if (!isAllowed)
    throw user || schemes.length === 0 ? new PermissionDenied() : new NotAuthenticated();
  return user;
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
