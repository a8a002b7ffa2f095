import type { Handler, OperationResponse } from '../contract.ts';
import type { Account } from '../db.ts';
import { changeEmail } from './accounts.ts';
import { changePassword } from './password-change.ts';
import { registerAccount } from './registration.ts';

type Me = Extract<OperationResponse<'retrieveMe'>, { status: 200 }>['body'];

const meOf = ({ email, username, id }: Account): Me => ({ email, username, id });

export const registerUser: Handler<'registerUser'> = async ({ body }, deps) => {
  return { status: 201, body: meOf(await registerAccount(body, deps)) };
};

export const retrieveMe: Handler<'retrieveMe'> = ({ user }) => {
  return { status: 200, body: meOf(user) };
};

export const updateMe: Handler<'updateMe'> = async ({ body, user }, deps) => {
  const changed = body.email === undefined ? user : await changeEmail(user.id, body.email, deps);
  return { status: 200, body: meOf(changed) };
};

export const setPassword: Handler<'setPassword'> = async ({ body, user }, deps) => {
  await changePassword(user.id, body, deps);
  return { status: 204 };
};
