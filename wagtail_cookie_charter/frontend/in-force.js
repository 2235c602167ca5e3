/**
 * Whether a page says what is in force. Caches keep pages: an old one may offer what is gone, and
 * hold what was taken out since. Nothing of it runs, and nothing is granted on it.
 */
import { parse } from './decision.js';

/** @typedef {import('./cookie-charter.js').Api} Api */

/** The highest number that the server has named: where bodies are replaced, pages come and go. */
let named = 0;

/** Milliseconds that the server has to name it. */
const PATIENCE = 5000;

/** @type {Promise<unknown> | undefined} */
let asking;

/**
 * Whether the page is that of the declaration in force, as the server says it now, or said it
 * within the minute for which the browser keeps that. Late or unreachable means no.
 * @param {Api} api
 */
export const inForce = async (api) => {
  const late = new Promise((end) => setTimeout(end, PATIENCE));
  asking ??= Promise.race([ask(/** @type {string} */ (api.page().dataset.decide)).catch(() => false), late]);
  const answered = await asking;
  asking = undefined;
  return !!answered && !outdated(api);
};

/** @param {string} decide the address beside it */
const ask = async (decide) => {
  const address = new URL('../in-force/', new URL(decide, location.href));
  const response = await fetch(address);
  const { number } = await response.json();
  // None is in force, or something else answers at this address.
  if (!response.ok || !Number.isInteger(number)) return false;
  named = Math.max(named, number);
  return true;
};

/**
 * Whether something later is known than this page asks: the server has named it, or the visitor
 * has answered it.
 * @param {Api} api
 */
export const outdated = (api) => Math.max(named, parse(api.stored())?.number ?? 0) > Number(api.page().dataset.number);

/** Have a page as it is today: caches keep pages by their address. @param {string} address */
export const renew = (address) => {
  const url = new URL(address);
  url.searchParams.set('wcc', String(Date.now()));
  location.assign(url);
};
