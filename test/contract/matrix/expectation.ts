import type { Caller } from './callers.ts';
import type { Operation } from './operations.ts';

export type Verdict = 401 | 403 | 'pass';

/** Who somebody is once credentials were looked at. */
type Who = Pick<Caller, 'isOwner' | 'isClient'> & { isUser: boolean; isStaff: boolean };
type Permission = (who: Who, method: string, settings: Settings) => boolean;
export interface Settings {
  REGISTRATION: boolean;
}

// Said once more, and not taken from the service: what is proven is that the two agree.
const PERMISSIONS: Record<string, Permission> = {
  AllowAny: () => true,
  IsAuthenticated: ({ isUser }) => isUser,
  IsAuthenticatedOrReadOnly: ({ isUser }, method) => isUser || method === 'GET',
  IsAdminUser: ({ isStaff }) => isStaff,
  IsAdminUserOrClient: ({ isStaff, isClient }) => isStaff || isClient,
  IsOwnerOrStaff: ({ isUser, isOwner, isStaff }) => isStaff || (isUser && isOwner),
  IsRegistrationOpen: (_who, _method, { REGISTRATION }) => REGISTRATION,
};

/** What `security` and `x-permissions` of an operation say to a caller. */
export function verdictFor(
  { security, permissions, method }: Operation,
  caller: Caller,
  settings: Settings,
): Verdict {
  const isLookedAt = security.some((one) => Object.keys(one).includes(caller.scheme ?? ''));
  if (isLookedAt && caller.isBad) return 401;
  const isUser = isLookedAt && !caller.isClient;
  const who: Who = {
    isUser,
    isStaff: isUser && caller.fields.is_staff === true,
    isOwner: caller.isOwner,
    isClient: isLookedAt && caller.isClient,
  };
  const holds = permissions.every((name) => {
    const permission = PERMISSIONS[name];
    if (!permission) throw new Error(`the matrix does not know the permission ${name}`);
    return permission(who, method, settings);
  });
  if (holds) return 'pass';
  const hasSchemes = security.some((one) => Object.keys(one).length > 0);
  return isLookedAt || !hasSchemes ? 403 : 401;
}
