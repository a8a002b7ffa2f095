import type { ExecutionContext } from 'ava';
import { startApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';
import type { SettingValues } from '../support/config.ts';

/** With its limits, and whoever speaks from this machine may say whom it speaks for. */
export const BEHIND_PROXY = { THROTTLE_ENABLED: true, TRUSTED_PROXIES: '127.0.0.1' };

export const startThrottled = (
  t: ExecutionContext,
  settings: SettingValues = {},
): Promise<TestApp> => startApp(t, { ...BEHIND_PROXY, ...settings });
