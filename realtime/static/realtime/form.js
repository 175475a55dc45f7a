// Fields as people fill them in. What they are and mean is in fields.js.

import { answerFrom } from "./fields.js";

let made = 0;

/**
 * A form for *fields*. Enter in a line submits it; a field that is wrong says so, and the first of them gets the focus.
 * @param {import("./fields.js").Field[]} fields
 * @param {{submit: string, onSubmit: (value: *) => Promise<?Record<string, string>>}} does what is wrong, by field; "":
 * in general; null: nothing is
 * @returns {HTMLFormElement}
 */
export function makeForm(fields, { submit, onSubmit }) {
  const form = element("form", "ask");
  form.noValidate = true; // browsers' bubbles go away before they are read
  const parts = new Map(fields.map((field) => [field.name, fieldset(field)]));
  const general = element("p", "wrong");
  general.setAttribute("role", "alert");
  const button = element("button", "primary", submit);
  button.type = "submit";
  form.append(...parts.values(), general, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const texts = Object.fromEntries([...new FormData(form)].map(([name, text]) => [name, String(text)]));
    const { value, wrong } = answerFrom(fields, texts);
    if (show(wrong)) return;
    button.disabled = true;
    form.setAttribute("aria-busy", "true");
    const refused = await onSubmit(value);
    form.removeAttribute("aria-busy");
    button.disabled = false;
    show(refused ?? {});
  });
  return form;

  /** @returns {boolean} whether anything is wrong */
  function show(wrong) {
    general.textContent = wrong[""] ?? "";
    for (const [name, part] of parts) {
      part.querySelector(".wrong").textContent = wrong[name] ?? "";
      for (const control of part.querySelectorAll("input, textarea, select")) {
        if (wrong[name]) control.setAttribute("aria-invalid", "true");
        else control.removeAttribute("aria-invalid");
      }
    }
    form.querySelector("[aria-invalid]")?.focus();
    return Object.keys(wrong).length > 0;
  }
}

function fieldset(field) {
  const id = `field-${(made += 1)}`;
  const isChoice = field.control === "choice";
  const part = element(isChoice ? "fieldset" : "div", "field");
  const label = element(isChoice ? "legend" : "label", "label", field.label);
  if (!field.required) label.append(element("span", "optional", "optional"));
  const wrong = element("p", "wrong");
  wrong.id = `${id}-wrong`;
  const help = field.help ? element("p", "help", field.help) : null;
  if (help) help.id = `${id}-help`;
  const described = help ? `${help.id} ${wrong.id}` : wrong.id;
  if (isChoice) part.setAttribute("aria-describedby", described);
  const controls = isChoice ? [choices(field, id)] : [control(field)];
  if (!isChoice) {
    label.htmlFor = controls[0].id = id;
    controls[0].setAttribute("aria-describedby", described);
    if (field.required) controls[0].required = true;
  }
  part.append(label, ...(help ? [help] : []), ...controls, wrong);
  return part;
}

function choices({ name, options, value, required }, id) {
  const group = element("div", "choices");
  for (const [at, [option, text]] of options.entries()) {
    const label = element("label", "choice");
    const radio = Object.assign(document.createElement("input"), { type: "radio", name, value: option, id: `${id}-${at}` });
    radio.checked = option === value;
    radio.required = required;
    label.append(radio, element("span", "", text));
    group.append(label);
  }
  return group;
}

function control(field) {
  const { name, value, placeholder } = field;
  if (field.control === "list") {
    const list = Object.assign(document.createElement("select"), { name });
    list.append(new Option("—", ""), ...field.options.map(([option, text]) => new Option(text, option)));
    list.value = value;
    return list;
  }
  if (field.control === "lines" || field.control === "json") {
    const lines = Object.assign(document.createElement("textarea"), { name, value, placeholder });
    lines.rows = field.control === "json" ? 4 : 3;
    lines.classList.toggle("code", field.control === "json");
    lines.spellcheck = field.control !== "json";
    return lines;
  }
  const line = Object.assign(document.createElement("input"), { name, value, placeholder });
  // Not type=number: it hides what it cannot read, and a wheel changes it.
  line.type = field.control === "number" ? "text" : field.input;
  if (field.control === "number") line.inputMode = field.whole ? "numeric" : "decimal";
  return line;
}

function element(tag, name, text) {
  const made_ = document.createElement(tag);
  if (name) made_.className = name;
  if (text !== undefined) made_.textContent = text;
  return made_;
}
