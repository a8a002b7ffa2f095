import type { Handler, OperationResponse } from '../contract.ts';
import type { User } from '../db.ts';
import { changeEmail } from './accounts.ts';
import { changePassword } from './password-change.ts';
import { registerAccount } from './registration.ts';

type Account = Extract<OperationResponse<'retrieveMe'>, { status: 200 }>['body'];

const accountOf = ({ email, username, id }: User): Account => ({ email, username, id });

export const registerUser: Handler<'registerUser'> = async ({ body }, deps) => {
  return { status: 201, body: accountOf(await registerAccount(body, deps)) };
};

export const retrieveMe: Handler<'retrieveMe'> = ({ user }) => {
  return { status: 200, body: accountOf(user) };
};

export const updateMe: Handler<'updateMe'> = async ({ body, user }, { db }) => {
  const changed = body.email === undefined ? user : await changeEmail(user, body.email, db);
  return { status: 200, body: accountOf(changed) };
};

export const setPassword: Handler<'setPassword'> = async ({ body, user }, deps) => {
  await changePassword(user, body, deps);
  return { status: 204 };
};
