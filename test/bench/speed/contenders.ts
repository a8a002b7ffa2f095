import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Settings } from '../service.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const HOME = path.join(ROOT, 'test/bench/contenders');
const PYTHON = path.join(ROOT, '.venv-bench/bin');

/** A program of `test/bench/contenders/`, which is told the rest by its environment. */
export interface Contender {
  label: string;
  command: string;
  args: string[];
  cwd: string;
  /** What `npm run setup:bench` has to have installed. */
  needs: string;
  settings?: Settings;
}

export type ContenderName = keyof typeof CONTENDERS;

export const CONTENDERS = {
  raw: node('raw', 'node:http, HMAC, prepared pg'),
  limit: node('limit', 'the practical limit'),
  fastify: node('fastify', 'Fastify 5, @fastify/jwt, pg'),
  express: node('express', 'Express, passport-jwt, pg'),
  koa: node('koa-empty', 'an empty Koa route'),
  http: node('http-limit', 'the HTTP limit'),
  fastapi: python('fastapi', 'FastAPI, uvicorn, asyncpg', 'python', ['main.py']),
  drf: python('drf', 'DRF, simplejwt, gunicorn', 'gunicorn', []),
} satisfies Record<string, Contender>;

export const isInstalled = (name: ContenderName): boolean => existsSync(CONTENDERS[name].needs);

function node(directory: string, label: string): Contender {
  return {
    label,
    command: process.execPath,
    args: ['server.js'],
    cwd: path.join(HOME, directory),
    needs: path.join(HOME, 'node_modules'),
  };
}

function python(directory: string, label: string, program: string, args: string[]): Contender {
  const command = path.join(PYTHON, program);
  return { label, command, args, cwd: path.join(HOME, directory), needs: command };
}
