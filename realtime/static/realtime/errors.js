// What may go wrong for good. What passes by itself, a lost connection say, is no error: the client comes back.
//
//   FlowMaestroError
//   ├── Refused           the server ended the connection, and would again: `code` is that of the close
//   │   ├── BadMessage    1003, 1009, 4400   the server does not understand this client
//   │   ├── BadTicket     4401               the ticket is none, or not valid any more
//   │   ├── WrongRun      4403               the ticket is for another run, or workspace
//   │   └── UnknownRun    4404               there is no such run
//   ├── Closed            `close()` was called before the run was over
//   └── ApiError          the REST API said no: `status`, `code`, `details`

export class FlowMaestroError extends Error {
  get name() {
    return this.constructor.name;
  }
}

export class Refused extends FlowMaestroError {
  /** @param {number} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class BadMessage extends Refused {}
export class BadTicket extends Refused {}
export class WrongRun extends Refused {}
export class UnknownRun extends Refused {}

export class Closed extends FlowMaestroError {
  constructor() {
    super("The connection was closed before the run was over.");
  }
}

export class ApiError extends FlowMaestroError {
  /** @param {{status: number, code?: string, message?: string, details?: object}} told *status* is that of HTTP */
  constructor({ status, code = "unknown", message = `The server answered with ${status}.`, details = {} }) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** @type {Record<number, [typeof Refused, string]>} By close code: after these the same client need not come back. */
const REFUSALS = {
  1003: [BadMessage, "The server takes no binary messages."],
  1009: [BadMessage, "A message was too long for the server."],
  4400: [BadMessage, "The server did not understand a message, or the address."],
  4401: [BadTicket, "The ticket is not valid, or not any more."],
  4403: [WrongRun, "The ticket is for another run, or workspace."],
  4404: [UnknownRun, "There is no such run."],
};

/** @param {number} code of a close @returns {Refused | null} null: it is worth coming back */
export function refusal(code) {
  if (!(code in REFUSALS)) return null;
  const [Kind, message] = REFUSALS[code];
  return new Kind(code, message);
}
