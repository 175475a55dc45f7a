// An answer's JSON Schema as the fields of a form, and what is written in them as an answer. Pure.
//
// As executions/waitpoints/forms.py and handlers/answers.py have it: the properties of an object are a field each, any
// other answer is one field; what is neither text, a number, yes or no nor one of a few values is written as JSON.

export const WHOLE = "answer"; // the name of the field of an answer that is one
const MOST_BUTTONS = 6;
const LONG = 200; // characters; a text that may be longer has more than one line
const READS = { string: "text", number: "number", integer: "number", boolean: "boolean", array: "json", object: "json" };
const INPUTS = { email: "email", uri: "url", date: "date", time: "time", "date-time": "datetime-local" };

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {"line"|"lines"|"number"|"choice"|"list"|"json"} control
 * @property {?string} reads "text", "number", "boolean" or "json"; null: JSON where it reads as such, else text
 * @property {string} input type of the element, of a "line"
 * @property {boolean} required
 * @property {string} value what stands in it
 * @property {string} help
 * @property {string} placeholder
 * @property {Array<[string, string]>} options value and label
 * @property {?number} min
 * @property {?number} max
 * @property {?number} minLength
 * @property {?number} maxLength
 * @property {boolean} whole a number without a fraction
 */

/** @param {import("./state.js").Wait} wait @returns {Field[]} */
export function fieldsOf({ schema, form, votes }) {
  const inputType = votes ? "boolean" : form?.inputType ?? null;
  const needed = form?.required !== false;
  const described = inputType === null || inputType === "json" ? objectSchema(schema) : null;
  if (!described) {
    const asked = unlessNull(schema);
    const { title, description, ...rest } = { default: form?.defaultValue, ...asked };
    const reads = inputType ?? readsAs(schema);
    return [field(WHOLE, { ...rest, title: votes ? "Your vote" : "Your answer" }, { reads, required: needed, placeholder: form?.placeholder ?? "" })];
  }
  const defaults = form?.defaultValue;
  return Object.entries(described.properties).map(([name, part]) => {
    const own = typeof part === "object" && part ? part : {};
    const asked = defaults && typeof defaults === "object" && name in defaults ? { ...own, default: defaults[name] } : own;
    const required = needed && (described.required ?? []).includes(name);
    return field(name, asked, { reads: readsAs(asked), required, placeholder: "" });
  });
}

function field(name, schema, { reads, required, placeholder }) {
  const asked = unlessNull(schema);
  const options = optionsOf(asked, reads);
  return {
    name,
    label: typeof asked.title === "string" && asked.title ? asked.title : name,
    control: controlOf(asked, { reads, required, options }),
    reads,
    input: (reads === "text" && INPUTS[asked.format]) || "text",
    required,
    value: asked.default == null ? "" : written(asked.default, reads),
    help: typeof asked.description === "string" ? asked.description : "",
    placeholder,
    options,
    min: asked.minimum ?? null,
    max: asked.maximum ?? null,
    minLength: asked.minLength ?? null,
    maxLength: asked.maxLength ?? null,
    whole: asked.type === "integer",
  };
}

function controlOf(schema, { reads, required, options }) {
  if (options.length) return required && options.length <= MOST_BUTTONS ? "choice" : "list";
  if (reads === "number" || reads === "json") return reads;
  if (reads === "text" && (schema.format in INPUTS || (schema.maxLength ?? LONG + 1) <= LONG)) return "line";
  return "lines";
}

function optionsOf(schema, reads) {
  if (Array.isArray(schema.enum)) {
    const label = (value) => (typeof value === "string" ? value : JSON.stringify(value));
    return schema.enum.filter((value) => value !== null).map((value) => [written(value, reads), label(value)]);
  }
  return reads === "boolean" ? [["true", "Yes"], ["false", "No"]] : [];
}

/**
 * What is written in *fields* as an answer, or what is wrong with it, in a sentence by field.
 * @param {Field[]} fields @param {Record<string, string>} texts by name
 * @returns {{value: *, wrong: Record<string, string>}}
 */
export function answerFrom(fields, texts) {
  const wrong = {};
  const read = {};
  for (const asked of fields) {
    const text = (texts[asked.name] ?? "").replaceAll("\r\n", "\n");
    if (!text.trim()) {
      if (asked.required) wrong[asked.name] = "This is needed.";
      continue;
    }
    try {
      read[asked.name] = readField(asked, text);
    } catch (error) {
      wrong[asked.name] = error.message;
    }
  }
  const one = fields.length === 1 && fields[0].name === WHOLE;
  return { value: one ? read[WHOLE] ?? null : read, wrong };
}

function readField({ reads, whole, min, max, minLength, maxLength, input }, text) {
  if (reads === "number") {
    const number = Number(text.trim().replace(",", "."));
    if (!Number.isFinite(number)) throw new Error("Write a number.");
    if (whole && !Number.isInteger(number)) throw new Error("Write a whole number.");
    if (min !== null && number < min) throw new Error(`At least ${min}.`);
    if (max !== null && number > max) throw new Error(`At most ${max}.`);
    return number;
  }
  if (reads === "boolean") return text === "true";
  if (reads === "text") {
    const length = [...text].length; // code points, as the server counts
    if (minLength !== null && length < minLength) throw new Error(`At least ${minLength} characters.`);
    if (maxLength !== null && length > maxLength) throw new Error(`At most ${maxLength} characters.`);
    return input === "datetime-local" ? new Date(text).toISOString() : text;
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    if (reads === null) return text;
    throw new Error(`This has to be JSON: ${error.message}.`);
  }
}

/**
 * The server's sentences by field: each begins with the name of the one that it is about. "": of no field in particular.
 * @param {Field[]} fields @param {string[]} sentences
 * @returns {Record<string, string>}
 */
export function byField(fields, sentences) {
  const placed = {};
  for (const sentence of sentences) {
    const named = fields.filter(({ name }) => [" ", ".", "["].some((mark) => sentence.startsWith(name + mark)));
    const longest = named.sort((one, other) => other.name.length - one.name.length)[0]?.name;
    const owner = fields.length === 1 && fields[0].name === WHOLE ? WHOLE : longest ?? "";
    placed[owner] = placed[owner] ? `${placed[owner]} ${sentence}` : sentence;
  }
  return placed;
}

function objectSchema(schema) {
  if (typeof schema !== "object" || schema === null) return null;
  if (schema.properties && Object.keys(schema.properties).length) return schema;
  return (schema.anyOf ?? []).map(objectSchema).find(Boolean) ?? null;
}

function unlessNull(schema) {
  const others = (schema?.anyOf ?? []).filter((each) => typeof each === "object" && each);
  return others.find(({ type }) => type !== "null") ?? schema ?? {};
}

function readsAs(schema) {
  const types = unlessNull(schema).type ?? [];
  return [types].flat().map((type) => READS[type]).find(Boolean) ?? null;
}

function written(value, reads) {
  return typeof value === "string" && reads === "text" ? value : JSON.stringify(value);
}
