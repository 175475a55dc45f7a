// The hook for pages whose import map, or bundler, knows "react". Where none does: makeHook(React) of flowmaestro.js.

import * as React from "react";
import { makeHook } from "./hook.js";

export const useWorkflowExecution = makeHook(React);
