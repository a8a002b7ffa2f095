import type { CustomClaims } from './deps.ts';

/**
 * Claims that JWTs of a user carry beside ours and CUSTOM_CLAIMS, as they are at this moment: asked at every login and
 * refresh, so that what changes here is in the next token. For example `({ is_staff }) => ({ is_staff })`.
 */
export const customClaims: CustomClaims = () => ({});
