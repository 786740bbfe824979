'use strict';
// A chain of one validator: slots, blockhashes that expire, transactions that wait and land, and
// what a node remembers of them. The instructions run in a real SVM (litesvm).

const crypto = require('crypto');
const base58 = require('./base58');
const decode = require('./decode');

const validFor = 150; // blocks, as on the real chain
const recent = 150; // slots for which a node answers without searching its history

/** The parts of a transaction that a node looks at before it runs it. */
function parse(bytes) {
  const signatures = bytes[0];
  let at = 1 + 64 * signatures;
  if (bytes.length < at + 4 || signatures !== 1) throw new Error('no transaction with one signature');
  const signature = base58.encode(bytes.subarray(1, 65));
  const versioned = (bytes[at] & 0x80) !== 0;
  at += versioned ? 4 : 3;
  const keys = [];
  for (let count = bytes[at++]; count > 0; --count, at += 32) keys.push(bytes.subarray(at, at + 32));
  return { bytes, signature, versioned, keys, blockhash: base58.encode(bytes.subarray(at, at + 32)) };
}

function names(enumeration, value) {
  return Object.keys(enumeration).find((name) => enumeration[name] === value) || String(value);
}

class Chain {
  constructor(internal, options) {
    this.internal = internal;
    this.svm = new internal.LiteSvm();
    this.svm.setBlockhashCheck(false); // ours expire by block height instead
    this.svm.setTransactionHistory(100000n);
    this.finalizeAfter = options.finalize_after ?? 2;
    this.height = 1000;
    this.hashes = new Map(); // blockhash -> height it was made at
    this.waiting = new Map(); // signature -> {transaction, at}; at null: held until released
    this.known = new Map(); // signature -> {height, err}
    this.sends = new Map(); // signature -> how often it was sent to us
    this.born = new Map(); // address -> height of the first transaction that wrote it
    this.minted = new Map(); // name on the chain -> how many mint accounts carry it
    this.mints = new Set();
    this.expired = 0;
    this.newBlock();
  }

  get slot() {
    return this.height + 77; // some slots have no block, so the two must not be mixed up
  }

  newBlock() {
    this.height += 1;
    this.latest = base58.encode(crypto.createHash('sha256').update(`block ${this.height}`).digest());
    this.hashes.set(this.latest, this.height);
    for (const [signature, entry] of [...this.waiting]) {
      if (entry.at !== null && entry.at <= this.height) {
        this.waiting.delete(signature);
        this.land(entry.transaction);
      }
    }
  }

  advance(blocks) {
    for (let i = 0; i < blocks; ++i) this.newBlock();
  }

  valid(blockhash) {
    const made = this.hashes.get(blockhash);
    return made !== undefined && this.height <= made + validFor;
  }

  errorOf(failed) {
    const i = this.internal;
    const err = failed.err();
    if (typeof err === 'number') return names(i.TransactionErrorFieldless, err);
    if (err instanceof i.TransactionErrorInstructionError) {
      const inner = err.err();
      if (typeof inner === 'number') {
        return { InstructionError: [err.index, names(i.InstructionErrorFieldless, inner)] };
      }
      return { InstructionError: [err.index, inner.code === undefined ? 'BorshIoError' : { Custom: inner.code }] };
    }
    if (err instanceof i.TransactionErrorInsufficientFundsForRent) {
      return { InsufficientFundsForRent: { account_index: err.accountIndex } };
    }
    return String(err);
  }

  run(transaction, simulate) {
    const form = transaction.versioned ? 'Versioned' : 'Legacy';
    const outcome = this.svm[(simulate ? 'simulate' : 'send') + form + 'Transaction'](transaction.bytes);
    return outcome instanceof this.internal.FailedTransactionMetadata ? this.errorOf(outcome) : null;
  }

  /** What preflight says; null when it may be sent. */
  preflight(transaction) {
    if (this.known.has(transaction.signature)) return 'AlreadyProcessed';
    if (!this.valid(transaction.blockhash)) return 'BlockhashNotFound';
    return this.run(transaction, true);
  }

  /** Takes it into the pool; it lands `after` blocks later, or when released for null. */
  accept(transaction, after) {
    if (!this.waiting.has(transaction.signature) && !this.known.has(transaction.signature)) {
      this.waiting.set(transaction.signature,
        { transaction, at: after === null ? null : this.height + after });
    }
  }

  release() {
    for (const entry of this.waiting.values()) entry.at = this.height + 1;
    this.newBlock();
  }

  land(transaction) {
    if (this.known.has(transaction.signature)) return;
    if (!this.valid(transaction.blockhash)) {
      this.expired += 1;
      return;
    }
    const err = this.run(transaction, false);
    this.known.set(transaction.signature, { height: this.height, slot: this.slot, err });
    if (err !== null) return;
    for (const key of transaction.keys) {
      const address = base58.encode(key);
      if (!this.born.has(address)) this.born.set(address, this.height);
      const account = this.svm.getAccount(key);
      if (!account || base58.encode(account.owner()) !== decode.token2022 || this.mints.has(address)) continue;
      const mint = decode.mint(account.data());
      if (mint === null) continue;
      this.mints.add(address);
      const name = mint.metadata ? mint.metadata.name : '';
      this.minted.set(name, (this.minted.get(name) || 0) + 1);
    }
  }

  status(signature, searchHistory) {
    const known = this.known.get(signature);
    if (!known || (!searchHistory && known.height <= this.height - recent)) return null;
    const depth = this.height - known.height;
    const confirmationStatus =
      depth >= this.finalizeAfter ? 'finalized' : depth >= 1 ? 'confirmed' : 'processed';
    return {
      slot: known.slot,
      confirmations: confirmationStatus === 'finalized' ? null : depth,
      err: known.err,
      status: known.err === null ? { Ok: null } : { Err: known.err },
      confirmationStatus,
    };
  }

  account(address, commitment) {
    const found = this.svm.getAccount(base58.decode(address));
    if (!found || (found.lamports() === 0n && found.data().length === 0)) return null;
    const depth = this.height - (this.born.get(address) ?? 0);
    if (depth < (commitment === 'finalized' ? this.finalizeAfter : 1)) return null;
    return {
      lamports: Number(found.lamports()),
      owner: base58.encode(found.owner()),
      data: [Buffer.from(found.data()).toString('base64'), 'base64'],
      executable: found.executable(),
      rentEpoch: 0,
      space: found.data().length,
    };
  }

  fund(address, lamports) {
    this.svm.airdrop(base58.decode(address), BigInt(lamports));
  }

  /** Puts an account there, whoever it belongs to. */
  place(address, { lamports, owner, data }) {
    this.svm.setAccount(base58.decode(address), new this.internal.Account(
      BigInt(lamports), Buffer.from(data, 'base64'), base58.decode(owner), false, 0n));
  }

  describe(address) {
    const found = this.svm.getAccount(base58.decode(address));
    if (!found) return null;
    const described = { owner: base58.encode(found.owner()), lamports: Number(found.lamports()),
      mint: decode.mint(found.data()), tokens: [] };
    described.rentExempt = Number(this.svm.minimumBalanceForRentExemption(BigInt(found.data().length)));
    for (const entry of this.svm.getProgramAccounts(base58.decode(decode.token2022))) {
      const token = decode.token(entry.account().data());
      if (token && token.mint === address) {
        described.tokens.push({ address: base58.encode(entry.address), ...token });
      }
    }
    return described;
  }
}

module.exports = { Chain, parse, validFor };
