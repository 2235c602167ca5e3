/**
 * A visitor's answer, as it stands in the consent cookie: `1.<number>.<time>.<grant>.<grant>`,
 * numbers in base 36. A grant is `media`, `media-3-1a` (but for these providers) or `media+4`
 * (these only); a final `~` marks an answer that the server has not confirmed.
 * The same as `decision.py`; `tests/decision_vectors.json` holds both to it.
 *
 * @typedef {{number: number, time: number, grants: string[], delivered: boolean}} Decision
 */

/** No longer than `decision.MAX_LENGTH`. */
const SHAPE =
  /^(?=.{0,92}$)1\.(0|[1-9a-z][0-9a-z]{0,6})\.(0|[1-9a-z][0-9a-z]{0,6})((?:\.[a-z][a-z0-9_]{0,15}(?:(?:-(?:0|[1-9a-z][0-9a-z]{0,6}))+|(?:\+(?:0|[1-9a-z][0-9a-z]{0,6}))+)?)*)(~?)$/;

/** @param {string} grant */
const categoryOf = (grant) => grant.split(/[-+]/)[0];

/**
 * The decision in a cookie's value, or nothing for whatever cannot be read.
 * @param {string | undefined} value
 * @returns {Decision | undefined}
 */
export const parse = (value) => {
  const found = SHAPE.exec(value ?? '');
  const grants = found?.[3].split('.').slice(1) ?? [];
  return found && new Set(grants.map(categoryOf)).size == grants.length
    ? {
        number: parseInt(found[1], 36),
        time: parseInt(found[2], 36),
        grants,
        delivered: !found[4],
      }
    : undefined;
};

/** @param {Decision} decision */
export const format = ({ number, time, grants, delivered }) =>
  [1, number.toString(36), time.toString(36), ...grants].join('.') + (delivered ? '' : '~');

/**
 * Whether a decision grants a provider of a category or, without one, the whole category.
 * @param {Decision | undefined} decision
 * @param {string} category
 * @param {string} [provider] its number in base 36
 */
export const allows = (decision, category, provider) => {
  const grant = decision?.grants.find((grant) => categoryOf(grant) == category);
  if (!grant) return false;
  const providers = grant.split(/[-+]/).slice(1);
  return !providers.length || (!!provider && providers.includes(provider) == grant.includes('+'));
};
