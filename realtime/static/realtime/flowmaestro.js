// The front door for pages and programs that follow runs: one module to import, no dependency, no build step.
// It stands before modules of one subject each, which the live page takes one by one.
//
//   import { connect } from "https://your.site/static/realtime/flowmaestro.js";

export { RunClient, connect } from "./client.js";
export {
  ApiError, BadMessage, BadTicket, Closed, FlowMaestroError, Refused, UnknownRun, WrongRun,
} from "./errors.js";
export { makeHook } from "./hook.js";
export { emptyState, fold, isFinal } from "./state.js";
export { WorkspaceClient, watchRuns } from "./workspace.js";
