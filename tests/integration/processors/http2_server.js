// Says over which version of HTTP it was asked: node http2_server.js CERT KEY.
'use strict';
const fs = require('fs');
const http2 = require('http2');

const server = http2.createSecureServer({
  cert: fs.readFileSync(process.argv[2]),
  key: fs.readFileSync(process.argv[3]),
  allowHTTP1: true,
});
let sessions = 0;
server.on('session', () => sessions++);
server.on('request', (request, response) => {
  let size = 0;
  request.on('data', (part) => { size += part.length; });
  request.on('end', () => {
    response.end(`${request.httpVersion} ${request.method} ${size} ${sessions}`);
  });
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}.`));
