import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { endGracefully } from '../listening.js';

/** The connections of a server and the answers each still owes: what a graceful end has to know. */
export class Connections {
  readonly #server: Server;
  readonly #owed = new Map<Socket, Set<ServerResponse>>();
  #isEnding = false;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#owed.set(socket, new Set());
      socket.once('close', () => this.#owed.delete(socket));
    });
    // Node's own, which server.close() calls, takes answers for sent whose octets still wait for the client to read.
    server.closeIdleConnections = () => {};
  }

  /** An answer begins. */
  begin(response: ServerResponse): void {
    const socket = response.socket as Socket;
    const answers = this.#owed.get(socket);
    answers?.add(response);
    response.once('close', () => {
      answers?.delete(response);
      if (this.#isEnding && answers?.size === 0) socket.destroySoon();
    });
    if (this.#isEnding) response.shouldKeepAlive = false;
  }

  /** Idle connections end at once, running requests finish, and those that have not finished by then are cut off. */
  async end(graceMs?: number): Promise<void> {
    this.#isEnding = true;
    await endGracefully(
      this.#server,
      () => this.#endIdle(),
      () => this.#server.closeAllConnections(),
      graceMs,
    );
  }

  #endIdle(): void {
    for (const [socket, answers] of this.#owed) {
      if (answers.size === 0) socket.destroy();
      for (const response of answers) response.shouldKeepAlive = false;
    }
  }
}
