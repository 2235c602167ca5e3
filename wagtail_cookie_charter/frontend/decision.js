/**
 * A visitor's answer, as it stands in the consent cookie: `1.<number>.<time>.<grant>.<grant>`,
 * numbers in base 36. A grant is `media`, `media-3-1a` (but for these providers) or `media+4`
 * (these only); a `!` marks an answer given despite the browser's privacy signal, a `~` one that
 * the server has not confirmed; `*` and 12 characters are its receipt, which `receipt.js` knows.
 * The same as `decision.py`; `tests/decision_vectors.json` holds both to it.
 *
 * @typedef {{number: number, time: number, grants: string[], despite: boolean, delivered: boolean}} Decision
 */

/** What comes before the marks is no longer than `decision.ROOM`. */
const SHAPE =
  /^(?=.{0,77}([!~*]|$))1(\.(0|[1-9a-z][0-9a-z]{0,6})){2}(\.[a-z][a-z0-9_]{0,15}((-(0|[1-9a-z][0-9a-z]{0,6}))+|(\+(0|[1-9a-z][0-9a-z]{0,6}))+)?)*!?~?(\*[0-9a-z]{12})?$/;

/** @param {string} grant */
const categoryOf = (grant) => grant.split(/[-+]/)[0];

/**
 * The decision in a cookie's value, or nothing for whatever cannot be read.
 * @param {string} [value]
 * @returns {Decision | undefined}
 */
export const parse = (value = '') => {
  const [, number, time, ...grants] = value.replace(/[!~*].*/, '').split('.');
  return SHAPE.test(value) && new Set(grants.map(categoryOf)).size == grants.length
    ? {
        number: parseInt(number, 36),
        time: parseInt(time, 36),
        grants,
        despite: value.includes('!'),
        delivered: !value.includes('~'),
      }
    : undefined;
};

/**
 * What is not said to be delivered is not.
 * @param {Omit<Decision, 'delivered'> & {delivered?: boolean}} decision
 */
export const format = ({ number, time, grants, despite, delivered }) =>
  [1, number.toString(36), time.toString(36), ...grants].join('.') + (despite ? '!' : '') + (delivered ? '' : '~');

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
