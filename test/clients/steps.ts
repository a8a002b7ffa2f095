const steps = (walk: { pages: number; products: number }): object[] => [
  { step: 'get token', username: 'alice' },
  { step: 'log in', username: 'alice' },
  { step: 'refresh', username: 'alice' },
  { step: 'walk', ...walk },
  { step: 'create', name: 'Oak chair', price: '49.90' },
  { step: 'get a typed error', status: 400, price: ['A valid number is required.'] },
  { step: 'log out' },
  {
    step: 'be refused a refresh',
    status: 401,
    code: 'token_not_valid',
    detail: 'Token is blacklisted',
  },
  { step: 'end the token' },
  { step: 'be refused by the token', status: 401, detail: 'Invalid token.' },
];

export const PRODUCTS = 5;

/** What every program prints, a line for each step. Programs ask for two products a page. */
export const STEPS = {
  service: steps({ pages: 3, products: PRODUCTS }),
  // The examples of the contract are a full page and a last one.
  mock: steps({ pages: 2, products: 3 }),
};
