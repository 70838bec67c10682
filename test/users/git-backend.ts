/**
 * The host's own git behind HTTP: a CGI bridge (RFC 3875) from node:http to `git http-backend`, on
 * the loopback interface.
 */
import { spawn } from 'node:child_process';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** What git runs with, so that nobody's own configuration changes a result. */
export const GIT_ENV = {
  PATH: process.env.PATH,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
};

export interface GitBackend {
  /** Where the repositories below the root are served, without a slash at the end. */
  url: string;
  /** Requests answered so far, as "METHOD /path". */
  requests: string[];
  close(): Promise<void>;
}

/** Serve every repository below `root`. */
export async function serveGit(root: string): Promise<GitBackend> {
  const requests: string[] = [];
  const server = http.createServer((request, response) => {
    const { pathname, search } = new URL(request.url as string, 'http://localhost');
    requests.push(`${request.method} ${pathname}`);
    runCgi(request, response, {
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

function runCgi(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  variables: Record<string, string>,
): void {
  const { headers } = request;
  const cgi = spawn('git', ['http-backend'], {
    env: {
      ...GIT_ENV,
      ...variables,
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REQUEST_METHOD: request.method,
      REMOTE_ADDR: request.socket.remoteAddress,
      CONTENT_TYPE: headers['content-type'] ?? '',
      ...(headers['content-length'] && { CONTENT_LENGTH: headers['content-length'] }),
      ...(headers['content-encoding'] && { HTTP_CONTENT_ENCODING: headers['content-encoding'] }),
      ...(headers['git-protocol'] && { GIT_PROTOCOL: String(headers['git-protocol']) }),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const fail = (error: Error) => response.destroy(error);
  cgi.on('error', fail);
  // It may have its answer before it has read all that was sent.
  cgi.stdin.on('error', () => {});
  request.pipe(cgi.stdin);
  let head = Buffer.alloc(0);
  const takeHead = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    cgi.stdout.off('data', takeHead);
    writeHead(response, head.toString('latin1', 0, end));
    response.write(head.subarray(end + 4));
    cgi.stdout.pipe(response);
  };
  cgi.stdout.on('data', takeHead);
  cgi.on('close', (code) => {
    if (!response.headersSent) fail(new Error(`git http-backend ended with ${code} and no answer`));
  });
}

function writeHead(response: http.ServerResponse, head: string): void {
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
}
