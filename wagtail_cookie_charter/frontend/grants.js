/**
 * Working with the grants of a decision; see decision.js for what they look like.
 */

/** Characters that the consent cookie has for all but its marks; see `decision.py`. */
const ROOM = 77;

/** Whether a cookie can hold them: format, number and time take up to 18. @param {string[]} grants */
export const fits = (grants) => grants.join('.').length + 18 <= ROOM;

/** The codes of one category, in the cookie's order. @param {string[]} codes */
export const inOrder = (codes) => codes.sort((one, other) => parseInt(one, 36) - parseInt(other, 36));

/**
 * The grants with a category more, or with one provider of it.
 * @param {string[]} grants @param {string} category @param {string} [provider] its code
 * @returns {string[]}
 */
export const add = (grants, category, provider) => {
  const present = grants.find((grant) => grant.split(/[-+]/)[0] == category);
  const others = grants.filter((grant) => grant != present);
  if (!provider || present == category) return [...others, category];
  const codes = present?.split(/[-+]/).slice(1) ?? [];
  const but = present?.includes('-');
  const left = but ? codes.filter((code) => code != provider) : inOrder([...new Set([...codes, provider])]);
  return [...others, category + left.map((code) => (but ? '-' : '+') + code).join('')];
};

/** A list of keys, as a data attribute has it. @param {string | undefined} text */
export const keys = (text) => (text ? text.split(' ') : []);

/**
 * Whether some grants say less than others: all they allow was allowed, and not all of it is.
 * @param {string[]} grants @param {string[]} before
 */
export const less = (grants, before) =>
  `${[...grants].sort()}` != `${[...before].sort()}` &&
  grants.every((grant) => {
    const [category, ...codes] = grant.split(/[-+]/);
    const present = before.find((other) => other.split(/[-+]/)[0] == category);
    if (!present || present == category || present == grant) return !!present;
    const known = present.split(/[-+]/).slice(1);
    // Fewer of these only; or more exceptions; or these only, none of which was an exception.
    if (present.includes('+')) return grant.includes('+') && codes.every((code) => known.includes(code));
    return grant.includes('-')
      ? known.every((code) => codes.includes(code))
      : grant != category && !codes.some((code) => known.includes(code));
  });
