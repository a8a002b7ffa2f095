import type { Handler, OperationResponse } from '../contract.ts';
import type { User } from '../db.ts';
import { registerAccount } from './registration.ts';

type Account = Extract<OperationResponse<'registerUser'>, { status: 201 }>['body'];

const accountOf = ({ email, username, id }: User): Account => ({ email, username, id });

export const registerUser: Handler<'registerUser'> = async ({ body }, deps) => {
  return { status: 201, body: accountOf(await registerAccount(body, deps)) };
};
