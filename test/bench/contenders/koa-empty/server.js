import Router from '@koa/router';
import Koa from 'koa';

// A Koa route that does nothing: what is left of any work when the work is taken away.

const { PORT, HOST = '127.0.0.1' } = process.env;
const router = new Router();
router.get('/healthz', (ctx) => {
  ctx.body = {};
});
router.post('/verify_token/', (ctx) => {
  ctx.body = {};
});

new Koa().use(router.routes()).listen(Number(PORT), HOST);
