/* Native controls with labels. get and set reach the settings; changed() is called after a change. */
"use strict";

const Controls = (() => {
  const { html } = Drawing;

  /** A labelled slider with a number beside it; the number may lie outside of the slider's range. */
  function slider(id, label, { low, high, step, get, set, unit, whole, changed }) {
    const range = html("input", { type: "range", id, step });
    const number = html("input", { type: "number", id: `${id}-number`, step: whole ? 1 : "any", "aria-label": `${label}, as a number` });
    if (whole) Object.assign(number, { min: low, max: high });
    const show = (from) => {
      const v = get();
      range.min = Math.min(low, v);
      range.max = Math.max(high, v);
      if (from !== range) range.value = v;
      if (from !== number) number.value = String(Number(v.toPrecision(12)));
    };
    for (const input of [range, number]) {
      input.addEventListener("input", () => {
        const v = input.value === "" ? NaN : Number(input.value);
        if (!Settings.usable(v) || (whole && (v < low || v > high || v % 1))) return;
        set(v);
        show(input);
        changed();
      });
      input.addEventListener("change", () => show()); // what makes no sense gives way to the last value
    }
    show();
    const text = html("label", { for: id }, label, unit ? html("small", {}, ` ${unit}`) : "");
    return html("div", { class: "row" }, text, range, number);
  }

  function select(id, label, options, { get, set, changed }) {
    const made = html("select", { id }, ...options.map(([v, text]) => html("option", { value: v }, text)));
    made.value = get();
    made.addEventListener("change", () => { set(made.value); changed(); });
    return html("div", { class: "row wide" }, html("label", { for: id }, label), made);
  }

  function checkbox(id, label, { get, set, changed }) {
    const made = html("input", { type: "checkbox", id });
    made.checked = get();
    made.addEventListener("change", () => { set(made.checked); changed(); });
    return html("label", { class: "check", for: id }, made, ` ${label}`);
  }

  return { checkbox, select, slider };
})();
