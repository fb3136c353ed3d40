// The server of the npm package ssh2: publickey logins; it runs commands with sh, or serves a little of sftp and nothing else.
//
// usage: node_server.js ADDRESS PORT HOST_KEY_FILE AUTHORIZED_KEYS_FILE exec|sftp
'use strict';

const { readFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const { Server, utils } = require('ssh2');

const [address, port, hostKey, authorizedKeys, kind] = process.argv.slice(2);
const known = readFileSync(authorizedKeys, 'utf8').split('\n').filter(Boolean).map((line) => utils.parseKey(line));
const { STATUS_CODE } = utils.sftp;

const isKnown = (context) => known.some((key) =>
  key.type === context.key.algo
  && key.getPublicSSH().equals(context.key.data)
  && (!context.signature || key.verify(context.blob, context.signature, context.hashAlgo) === true));

function run(stream, command) {
  const child = spawn('/bin/sh', command === null ? [] : ['-c', command]);
  stream.pipe(child.stdin);
  child.stdin.on('error', () => {});
  child.stdout.pipe(stream, { end: false });
  child.stderr.pipe(stream.stderr, { end: false });
  child.on('close', (status) => {
    stream.exit(status === null ? 255 : status);
    stream.end();
  });
}

function sftp(stream) {
  stream.on('REALPATH', (id) => stream.name(id, [{ filename: '/', longname: '/', attrs: {} }]));
  const refused = ['OPEN', 'OPENDIR', 'STAT', 'LSTAT', 'REMOVE', 'MKDIR', 'RMDIR', 'RENAME', 'READLINK', 'SETSTAT'];
  refused.forEach((request) => stream.on(request, (id) => stream.status(id, STATUS_CODE.NO_SUCH_FILE)));
}

const server = new Server({ hostKeys: [readFileSync(hostKey)] }, (client) => {
  client.on('authentication', (context) => {
    if (context.method === 'publickey' && isKnown(context)) context.accept();
    else context.reject(['publickey']);
  });
  client.on('session', (accept) => {
    const session = accept();
    if (kind === 'sftp') {
      session.on('sftp', (accept) => sftp(accept()));
      return;
    }
    session.on('pty', (accept) => accept && accept());
    session.on('exec', (accept, reject, { command }) => run(accept(), command));
    session.on('shell', (accept) => run(accept(), null));
  });
  client.on('error', () => {});
});
server.listen(Number(port), address);
