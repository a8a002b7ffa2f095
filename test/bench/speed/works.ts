import { login } from './login-work.ts';
import { create, filter, page, token } from './product-works.ts';
import { connections, workers } from './scaling-works.ts';
import { jwks, refresh, rotation, verify } from './token-works.ts';
import type { Work } from './work.ts';

export const WORKS: readonly Work[] = [
  page,
  token,
  filter,
  create,
  verify,
  refresh,
  rotation,
  login,
  jwks,
  connections,
  workers,
];
