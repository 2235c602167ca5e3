/**
 * The number that an answer is sent under, so that however often it is sent it is one. It stands
 * at the end of the consent cookie's value, after a `*`: the first letter of how the answer was
 * given (see `decision.Method`), or an x, and eleven characters of chance (56.9 bits). The same as
 * `decision.new_receipt`.
 */

const METHODS = ['accept', 'refuse', 'choice', 'placeholder', 'withdrawal', 'signal'];

/** "" if it has none. @param {string} [value] the cookie's */
export const receiptOf = (value = '') => value.split('*')[1] ?? '';

/** @param {string} [method] */
export const newReceipt = (method = '') => {
  let number = METHODS.includes(method) ? method[0] : 'x';
  while (number.length < 12) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    // Seven times 36: of the few bytes beyond, some characters would get more than others.
    if (byte < 252) number += (byte % 36).toString(36);
  }
  return number;
};

/** How the answer was given, where its receipt says so. @param {string} value */
export const methodOf = (value) => METHODS.find((method) => method[0] == receiptOf(value)[0]);
