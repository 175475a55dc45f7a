// Code points, which the server counts: a character outside the basic plane is one, though JavaScript says two.

/** @param {string} text @returns {number} */
export function count(text) {
  let points = text.length;
  for (let at = 0; at < text.length; at += 1) {
    if (isPair(text, at)) {
      points -= 1;
      at += 1;
    }
  }
  return points;
}

/**
 * Where in *text* the code point is that has *offset* others before it.
 * @param {string} text
 * @param {number} offset
 * @returns {number} of `slice`
 */
export function place(text, offset) {
  let at = 0;
  for (let points = 0; points < offset && at < text.length; points += 1) at += isPair(text, at) ? 2 : 1;
  return at;
}

function isPair(text, at) {
  return text.codePointAt(at) > 0xffff;
}
