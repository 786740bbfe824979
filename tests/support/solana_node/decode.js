'use strict';
// Reads Token-2022 accounts by the program's documented layouts, independently of the C++ code.

const base58 = require('./base58');

const token2022 = 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb';

function optionalKey(data, at) {
  return data.readUInt32LE(at) === 0 ? null : base58.encode(data.subarray(at + 4, at + 36));
}

function* extensions(data) {
  for (let at = 166; at + 4 <= data.length;) {
    const type = data.readUInt16LE(at);
    const length = data.readUInt16LE(at + 2);
    yield { type, value: data.subarray(at + 4, at + 4 + length) };
    at += 4 + length;
  }
}

function key(data, at) {
  return data.subarray(at, at + 32).every((byte) => byte === 0)
    ? null
    : base58.encode(data.subarray(at, at + 32));
}

function metadata(value) {
  let at = 64;
  const text = () => {
    const length = value.readUInt32LE(at);
    at += 4 + length;
    return value.subarray(at - length, at).toString('utf8');
  };
  const found = { updateAuthority: key(value, 0), mint: key(value, 32) };
  found.name = text();
  found.symbol = text();
  found.uri = text();
  found.more = value.readUInt32LE(at);
  return found;
}

/** Of the account's data: what the mint is, or null when it is none. */
function mint(bytes) {
  const data = Buffer.from(bytes);
  if (data.length < 82 || (data.length > 82 && (data.length <= 165 || data[165] !== 1))) return null;
  const found = {
    mintAuthority: optionalKey(data, 0),
    supply: data.readBigUInt64LE(36).toString(),
    decimals: data[44],
    initialized: data[45] === 1,
    freezeAuthority: optionalKey(data, 46),
  };
  for (const { type, value } of extensions(data)) {
    if (type === 18) found.pointer = { authority: key(value, 0), metadata: key(value, 32) };
    if (type === 19) found.metadata = metadata(value);
  }
  return found;
}

/** Of the account's data: whose tokens they are, or null when it is no token account. */
function token(bytes) {
  const data = Buffer.from(bytes);
  if (data.length < 165 || (data.length > 165 && data[165] !== 2)) return null;
  return { mint: key(data, 0), owner: key(data, 32), amount: data.readBigUInt64LE(64).toString() };
}

module.exports = { mint, token, token2022 };
