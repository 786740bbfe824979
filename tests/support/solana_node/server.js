'use strict';
// A Solana node for the tests: JSON-RPC before a real SVM, faults by script, and a content-addressed
// store for metadata, all on one free port of 127.0.0.1.
//
// usage: node server.js OPTIONS_JSON
//
// Prints the port on one line when it listens. Options:
//   modules         folder with litesvm-linux-x64-gnu
//   slot_ms         a block every so many milliseconds (default 20; 0: only when told)
//   finalize_after  blocks until what landed is final (default 2)
//
// POST /rpc, /rpc2     JSON-RPC; two paths, so that one endpoint can fail alone
// PUT, GET /metadata/<sha256 of the body>.json
// POST /control        {"fund", "place", "advance", "slot_ms", "release", "script", "mode", "seed"}
// GET  /state, /account/<address>, /minted (mint accounts in all), /minted/<name>
//
// Script entries {method, path, times, ...}: the first that fits a request is used up by it.
//   http, retry_after   answer with that status      rpc        a JSON-RPC error of that code
//   refuse              close without doing it       drop_reply do it, then close
//   delay_ms            do it and answer later       lose       accept a transaction, never land it
//   land_after          land it so many blocks later hold       land it when released
// Modes (for all requests): none, lost_reply, down, slow, random.

const crypto = require('crypto');
const http = require('http');
const path = require('path');
const { Chain, parse, validFor } = require('./chain');

const options = JSON.parse(process.argv[2] || '{}');
// The package of litesvm that holds its machine code, which is all we need of it: what it wraps
// around that for JavaScript has fifty dependencies.
const internal = require(path.join(options.modules, 'litesvm-linux-x64-gnu'));
const chain = new Chain(internal, options);
const objects = new Map();
const counts = {};
let script = [];
let mode = 'none';
let seed = 1;
let ticker = null;

function tick(milliseconds) {
  clearInterval(ticker);
  ticker = milliseconds > 0 ? setInterval(() => chain.newBlock(), milliseconds) : null;
}

class RpcError extends Error {
  constructor(code, message, data) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

const context = () => ({ slot: chain.slot, apiVersion: '2.3.0' });

const methods = {
  getBalance: ([address]) => {
    const account = chain.account(address, 'confirmed');
    return { context: context(), value: account ? account.lamports : 0 };
  },
  getAccountInfo: ([address, config]) =>
    ({ context: context(), value: chain.account(address, config?.commitment ?? 'finalized') }),
  getLatestBlockhash: () => ({
    context: context(),
    value: { blockhash: chain.latest, lastValidBlockHeight: chain.height + validFor },
  }),
  getBlockHeight: ([config]) => (config?.commitment === 'finalized'
    ? chain.height - chain.finalizeAfter : chain.height),
  getMinimumBalanceForRentExemption: ([bytes]) =>
    Number(chain.svm.minimumBalanceForRentExemption(BigInt(bytes))),
  getSignatureStatuses: ([signatures, config]) => ({
    context: context(),
    value: signatures.map((one) => chain.status(one, config?.searchTransactionHistory === true)),
  }),
  sendTransaction: ([text, config], fault) => {
    if (config?.encoding !== 'base64') throw new RpcError(-32602, 'expected base64');
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length > 1232) throw new RpcError(-32602, 'base64 encoded too large');
    const transaction = parse(bytes);
    chain.sends.set(transaction.signature, (chain.sends.get(transaction.signature) || 0) + 1);
    const refused = config.skipPreflight ? null : chain.preflight(transaction);
    if (refused !== null) {
      throw new RpcError(-32002, `Transaction simulation failed: ${JSON.stringify(refused)}`,
        { err: refused, logs: [] });
    }
    if (!fault.lose) chain.accept(transaction, fault.hold ? null : fault.land_after ?? 1);
    return transaction.signature;
  },
};

function answerRpc(request, fault) {
  counts[request.method] = (counts[request.method] || 0) + 1;
  const answer = { jsonrpc: '2.0', id: request.id };
  try {
    if (fault.rpc) throw new RpcError(fault.rpc, 'as the script says');
    const method = methods[request.method];
    if (!method) throw new RpcError(-32601, 'Method not found');
    answer.result = method(request.params || [], fault);
  } catch (error) {
    answer.error = { code: error.code ?? -32603, message: error.message };
    if (error.data) answer.error.data = error.data;
  }
  return answer;
}

/** A small generator, so that a seed gives the same faults each time. */
function random() {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 4294967296;
}

const modes = {
  none: () => ({}),
  lost_reply: (method) => (method === 'sendTransaction' || method === 'PUT' ? { drop_reply: true } : {}),
  down: () => ({ http: 503 }),
  slow: () => ({ stall: true }),
  random: () => {
    const drawn = random();
    if (drawn < 0.85) return {};
    return drawn < 0.9 ? { drop_reply: true } : drawn < 0.94 ? { http: 503 } : drawn < 0.97 ? { lose: true } : { refuse: true };
  },
};

function faultFor(method, where) {
  const index = script.findIndex((entry) =>
    (!entry.method || entry.method === method) && (!entry.path || entry.path === where));
  if (index < 0) return modes[mode](method);
  const entry = script[index];
  entry.times = (entry.times ?? 1) - 1;
  if (entry.times <= 0) script.splice(index, 1);
  return entry;
}

function store(name, method, body) {
  if (method === 'GET') return objects.has(name) ? [200, objects.get(name)] : [404, ''];
  const right = crypto.createHash('sha256').update(body).digest('hex') + '.json';
  if (name !== right) return [400, 'the name is not the hash of the content'];
  if (objects.has(name)) return [409, ''];
  objects.set(name, body);
  return [201, ''];
}

function control(order) {
  if (order.fund) chain.fund(order.fund.address, order.fund.lamports);
  if (order.place) chain.place(order.place.address, order.place);
  if (order.slot_ms !== undefined) tick(order.slot_ms);
  if (order.script) script = order.script;
  if (order.mode) mode = order.mode;
  if (order.seed !== undefined) seed = order.seed;
  if (order.advance) chain.advance(order.advance);
  if (order.release) chain.release();
  return {};
}

function state() {
  const landed = [...chain.known].map(([signature, known]) => ({ signature, err: known.err }));
  return { height: chain.height, counts, sends: Object.fromEntries(chain.sends), landed,
    waiting: chain.waiting.size, expired: chain.expired, objects: [...objects.keys()],
    mints: [...chain.mints] };
}

function inspect(url) {
  if (url === '/state') return state();
  if (url === '/minted') return [...chain.minted.values()].reduce((sum, one) => sum + one, 0);
  if (url.startsWith('/minted/')) return chain.minted.get(url.slice('/minted/'.length)) || 0;
  if (url.startsWith('/account/')) return chain.describe(url.slice('/account/'.length));
  return null;
}

function reply(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}

function outside(request, response, body) {
  const where = request.url;
  const rpc = where.startsWith('/rpc');
  const message = rpc ? JSON.parse(body) : null;
  const fault = faultFor(rpc ? message.method : request.method, rpc ? where : '/metadata');
  if (fault.refuse) return request.socket.destroy();
  if (fault.stall) return setTimeout(() => request.socket.destroy(), 5000);
  if (fault.http) {
    return reply(response, fault.http, '{}', fault.retry_after ? { 'retry-after': String(fault.retry_after) } : {});
  }
  const done = rpc ? [200, JSON.stringify(answerRpc(message, fault))]
    : store(where.slice('/metadata/'.length), request.method, body);
  if (fault.drop_reply) return request.socket.destroy();
  return setTimeout(() => reply(response, done[0], done[1]), fault.delay_ms ?? 0);
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts).toString('utf8');
    try {
      if (request.url.startsWith('/rpc') || request.url.startsWith('/metadata/')) {
        outside(request, response, body);
      } else if (request.url === '/control') {
        reply(response, 200, JSON.stringify(control(JSON.parse(body))));
      } else {
        reply(response, 200, JSON.stringify(inspect(request.url)));
      }
    } catch (error) {
      process.stderr.write(`${error.stack}\n`);
      reply(response, 500, JSON.stringify({ error: error.message }));
    }
  });
});
server.keepAliveTimeout = 60000;
tick(options.slot_ms ?? 20);
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
