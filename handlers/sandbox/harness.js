// What runs a program of JavaScript inside the sandbox. Reads an order from standard input, and replies there.
"use strict";
{
    const fs = require("fs");
    const vm = require("vm");
    const NAME = "code.js";
    const LONGEST = 8000; // characters of what is told of an error
    // The program may change all of these.
    const { readFileSync, writeSync } = fs;
    const { parse, stringify } = JSON;
    const exit = process.reallyExit.bind(process);
    const from = Buffer.from.bind(Buffer);
    const text = String;
    const { isFinite } = Number;

    const send = (written) => {
        let data = from(written, "utf8");
        while (data.length > 0) {
            try {
                data = data.subarray(writeSync(0, data));
            } catch (error) {
                if (error.code !== "EAGAIN") throw error;
            }
        }
    };

    const finish = (reply) => {
        send(reply);
        exit(0);
    };

    const fail = (error) => {
        let name = "Error", message = "", trace = "";
        try {
            name = text((error && error.name) || typeof error);
            message = text(error && error.message !== undefined ? error.message : error);
            trace = text((error && error.stack) || "")
                .split("\n")
                .filter((line) => !/^\s+at /.test(line) || line.includes(NAME))
                .join("\n");
        } catch {
            // An error that cannot be told is told without words.
        }
        if (name === "RangeError" && message === "Array buffer allocation failed") finish('{"memory":true}');
        const fields = [["error", name], ["message", message], ["trace", trace]];
        finish("{" + fields.map(([key, value]) => `"${key}":` + stringify(value.slice(0, LONGEST))).join(",") + "}");
    };

    const unfit = (reason) => finish('{"unfit":' + stringify(reason) + "}");

    const check = (key, value) => {
        if (typeof value === "number" && !isFinite(value)) throw new TypeError(`${value} is not JSON`);
        if (typeof value === "function" || typeof value === "symbol") throw new TypeError(`a ${typeof value} is not JSON`);
        return value;
    };

    const succeed = (value) => {
        let written;
        try {
            written = stringify(value, check);
        } catch (error) {
            return unfit(text(error.message));
        }
        return finish('{"result":' + (written === undefined ? "null" : written) + "}");
    };

    send("ready\n");
    const { code, inputs } = parse(readFileSync(0, "utf8"));
    const define = (name, value) =>
        Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true });
    define("inputs", inputs);
    define("variables", inputs);
    for (const name of Object.keys(inputs)) define(name, inputs[name]);
    globalThis.require = require;
    process.on("uncaughtException", fail);
    process.on("beforeExit", () => unfit("the promise that it returned is never settled"));
    const head = "(async () => {";
    const tail = "\nif (typeof result !== 'undefined') return await result;" +
        "\nif (typeof main === 'function') return await main(inputs);\n})";
    try {
        const run = vm.runInThisContext(head + code + tail, { filename: NAME, columnOffset: -head.length });
        run().then(succeed, fail);
    } catch (error) {
        fail(error);
    }
}
